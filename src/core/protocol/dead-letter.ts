import { KEY_HEADER } from './layout.js';
import type { DeadLetter } from './message.js';

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
  /** Where the message itself is, where it did not fit beside these: sequences of its parts, in order. */
  parts: 'Natspoc-Dead-Parts',
  /** Of a part: the id of its letter. */
  partOf: 'Natspoc-Dead-Part-Of',
} as const;

/** How often a message was put back to its partition, for whoever wonders about a loop. */
export const REDRIVEN_HEADER = 'Natspoc-Redriven';

/** Errors are for people: what is longer is cut off. */
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
 * The id of a letter: the same however often it is stored, by whichever owner, so that the stream keeps it once. The time
 * at which the message was stored tells it from another one that got the same sequence, in a stream that was made anew.
 */
export const letterId = ({ message }: DeadLetter, { stream, group }: Origin): string =>
  `${stream}.${group}.${message.sequence}.${message.timestampMs}`;

/** The headers that a message came with, and that a letter keeps. */
export const ownHeaders = ({ message }: DeadLetter): Record<string, string> =>
  Object.fromEntries(Object.entries(message.headers()).filter(([name]) => isOurs(name)));

/**
 * The headers by which a letter says what it is.
 *
 * @param now when it was given up, milliseconds since 1970.
 */
export function letterHeaders(
  letter: DeadLetter,
  { stream, group }: Origin,
  now: number,
): Record<string, string> {
  const { message, partition, epoch, attempts, error } = letter;
  return {
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

/** The header of a letter whose message is stored in these parts. */
export const partsHeader = (sequences: readonly number[]): Record<string, string> => ({
  [HEADERS.parts]: sequences.join(' '),
});

/** The headers of a part of a letter's message. */
export const partHeaders = (stream: string, id: string): Record<string, string> => ({
  [HEADERS.stream]: stream,
  [HEADERS.partOf]: id,
});

/** The id of the letter that a stored message is a part of; undefined: it is none. */
export const partOf = (headers: Readonly<Record<string, string>>): string | undefined =>
  headers[HEADERS.partOf];

/** Whether two stored messages are the same letter, tried by whichever owner, however often. */
export function isSameLetter(one: StoredLetter, other: StoredLetter, stream: string): boolean {
  const [a, b] = [readLetter(one, stream), readLetter(other, stream)];
  if (!a || !b || Buffer.compare(a.data, b.data) !== 0) return false;
  const what = ({ key, headers, partition, from, group, parts }: FoundLetter) =>
    JSON.stringify([key, Object.entries(headers).sort(), partition, from, group, parts]);
  return what(a) === what(b);
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
  /** Where the message itself is kept, as it did not fit: sequences among the dead letters. Empty: it is in the letter. */
  parts: number[];
}

/** A message among the dead letters. */
export interface StoredLetter {
  sequence?: number;
  data: Uint8Array;
  headers: Readonly<Record<string, string>>;
}

/**
 * Reads a letter back.
 *
 * @returns undefined for a message that is no dead letter of this stream.
 */
export function readLetter(stored: StoredLetter, stream: string): FoundLetter | undefined {
  const { headers } = stored;
  const partition = Number(headers[HEADERS.partition]);
  const from = Number(headers[HEADERS.sequence]);
  if (headers[HEADERS.stream] !== stream || !isCount(headers[HEADERS.partition]) || !(from > 0))
    return undefined;
  const own = Object.entries(headers).filter(([name]) => isOurs(name) && name !== KEY_HEADER);
  return {
    sequence: stored.sequence ?? 0,
    data: stored.data,
    key: headers[KEY_HEADER] || null,
    headers: Object.fromEntries(own),
    partition,
    from,
    group: headers[HEADERS.group] ?? '',
    attempts: Number(headers[HEADERS.attempts] ?? 0),
    error: headers[HEADERS.error] ?? '',
    time: headers[HEADERS.time] ?? '',
    parts: (headers[HEADERS.parts] ?? '').split(' ').filter(isCount).map(Number),
  };
}

const isCount = (text: string | undefined): boolean => text !== undefined && /^\d{1,15}$/.test(text);
