import { KEY_HEADER } from '../layout.js';
import type { DeadLetter } from '../ports.js';

/** What a dead letter says about itself; its own headers and payload stay as they were. */
const HEADERS = {
  stream: 'Natspoc-Dead-Stream',
  subject: 'Natspoc-Dead-Subject',
  sequence: 'Natspoc-Dead-Sequence',
  partition: 'Natspoc-Dead-Partition',
  group: 'Natspoc-Dead-Group',
  epoch: 'Natspoc-Dead-Epoch',
  attempts: 'Natspoc-Dead-Attempts',
  error: 'Natspoc-Dead-Error',
  time: 'Natspoc-Dead-Time',
} as const;

/** How often a message was put back to its partition, for whoever wonders about a loop. */
export const REDRIVEN_HEADER = 'Natspoc-Redriven';
const MESSAGE_ID_HEADER = 'Nats-Msg-Id';

/** A longer error would not fit where the message itself is near the server's limit. */
const MAX_ERROR_CHARACTERS = 500;

/** The stream that holds the dead letters of a stream. */
export const deadStream = (stream: string): string => `${stream}_dead`;

/** Their subject: outside of the partitions, under the same prefix. */
export const deadSubject = (prefix: string): string => `${prefix}.dead`;

/** Where a letter comes from. */
export interface Origin {
  stream: string;
  group: string;
}

/** Headers of the server's own (`Nats-…`) mean something to whoever stores the message: they stay behind. */
const isOurs = (name: string): boolean => !/^nats-/i.test(name) && !/^natspoc-dead-/i.test(name);

/** Text as a header value: one line, of characters that every client can read. */
function headerText(text: string): string {
  const line = text.replace(/[^\x21-\x7e]+/g, ' ').trim();
  return line.length > MAX_ERROR_CHARACTERS ? `${line.slice(0, MAX_ERROR_CHARACTERS - 3)}...` : line || '-';
}

/**
 * The headers of a letter as it is stored. Its message id is the same however often it is stored, by whichever
 * owner, so that the stream keeps it once.
 *
 * @param now when it was given up, milliseconds since 1970.
 */
export function letterHeaders(
  letter: DeadLetter,
  { stream, group }: Origin,
  now: number,
): Record<string, string> {
  const { message, partition, epoch, attempts, error } = letter;
  const own = Object.entries(message.headers()).filter(([name]) => isOurs(name));
  return {
    ...Object.fromEntries(own),
    [MESSAGE_ID_HEADER]: `${stream}.${group}.${message.sequence}`,
    [HEADERS.stream]: stream,
    [HEADERS.subject]: message.subject,
    [HEADERS.sequence]: String(message.sequence),
    [HEADERS.partition]: String(partition),
    [HEADERS.group]: group,
    [HEADERS.epoch]: String(epoch),
    [HEADERS.attempts]: String(attempts),
    [HEADERS.error]: headerText(error),
    [HEADERS.time]: new Date(now).toISOString(),
  };
}

/** A dead letter as it was found. */
export interface FoundLetter {
  /** Its sequence among the dead letters. */
  sequence: number;
  data: Uint8Array;
  key: string | null;
  /** The headers that it came with, without the key. */
  headers: Record<string, string>;
  partition: number;
  group: string;
  /** Its sequence in the stream that it came from. */
  from: number;
  attempts: number;
  error: string;
  /** When it was given up, ISO 8601. */
  time: string;
}

/**
 * Reads a letter back.
 *
 * @returns undefined for a message that is no dead letter of this stream.
 */
export function readLetter(
  stored: { sequence: number; data: Uint8Array; headers: Record<string, string> },
  stream: string,
): FoundLetter | undefined {
  const { headers } = stored;
  const partition = Number(headers[HEADERS.partition]);
  const from = Number(headers[HEADERS.sequence]);
  if (headers[HEADERS.stream] !== stream || !isCount(headers[HEADERS.partition]) || !(from > 0))
    return undefined;
  const own = Object.entries(headers).filter(([name]) => isOurs(name) && name !== KEY_HEADER);
  return {
    sequence: stored.sequence,
    data: stored.data,
    key: headers[KEY_HEADER] || null,
    headers: Object.fromEntries(own),
    partition,
    from,
    group: headers[HEADERS.group] ?? '',
    attempts: Number(headers[HEADERS.attempts] ?? 0),
    error: headers[HEADERS.error] ?? '',
    time: headers[HEADERS.time] ?? '',
  };
}

const isCount = (text: string | undefined): boolean => text !== undefined && /^\d{1,9}$/.test(text);
