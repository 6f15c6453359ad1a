import { headerText } from '../lib/header-text.js';
import { KEY_HEADER } from './layout.js';
import type { DeadLetter } from './message.js';

/** The headers that describe a dead letter, in addition to the message's own headers and payload. */
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
  /** The sequences of the message's parts, in order, if the message did not fit into the letter. */
  parts: 'Natspoc-Dead-Parts',
  /** The id of the letter to which a part belongs. */
  partOf: 'Natspoc-Dead-Part-Of',
} as const;

/** Counts how often a message was put back into its partition, so that loops can be recognized. */
export const REDRIVEN_HEADER = 'Natspoc-Redriven';

/** Maximum length of an error text, in bytes. */
const MAX_ERROR_BYTES = 1_000;

/** Maximum number of parts. A letter with more parts is not natspoc's. */
const MAX_PARTS = 1_000;

/** The name of the stream that holds the dead letters of a stream. */
export const deadStream = (stream: string): string => `${stream}_dead`;

/** The subject of dead letters. It belongs to no partition. */
export const deadSubject = (prefix: string): string => `${prefix}.dead`;

/** The stream and group that a letter comes from. */
export interface Origin {
  stream: string;
  group: string;
}

/** True for headers that a letter keeps. The server's headers (`Nats-…`) would affect how the letter is stored. */
const isOurs = (name: string): boolean => !/^nats-/i.test(name) && !/^natspoc-dead-/i.test(name);

/**
 * The id of a letter. It is the same for each attempt and owner, so the stream stores the letter only once. In a
 * recreated stream, a message with the same sequence has another time, and so another id.
 */
export const letterId = ({ message }: DeadLetter, { stream, group }: Origin): string =>
  `${stream}.${group}.${message.sequence}.${message.timestampMs}`;

/** The headers that a letter keeps from its message. */
export const ownHeaders = ({ message }: DeadLetter): Record<string, string> =>
  withoutOrders(message.headers());

/**
 * The headers of a received message without orders, to publish the message again. Orders are headers named `Nats-…`, which control the
 * server, and headers that describe a dead letter. With `Nats-Msg-Id`, the message would be a duplicate and would not be stored.
 */
export const withoutOrders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => isOurs(name)));

/**
 * The headers that describe a letter.
 *
 * @param now when the letter is sent to the stream, in milliseconds since 1970.
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
    [HEADERS.error]: headerText(error, MAX_ERROR_BYTES) || '-',
    [HEADERS.time]: new Date(now).toISOString(),
  };
}

/** The header of a letter whose message is stored in parts. */
export const partsHeader = (sequences: readonly number[]): Record<string, string> => ({
  [HEADERS.parts]: sequences.join(' '),
});

/** The headers of a part. */
export const partHeaders = (stream: string, id: string): Record<string, string> => ({
  [HEADERS.stream]: stream,
  [HEADERS.partOf]: id,
});

/** The id of the letter that a part belongs to; undefined if the message is not a part. */
export const partOf = (headers: Readonly<Record<string, string>>): string | undefined =>
  headers[HEADERS.partOf];

/** True if a part belongs to this letter. A letter from another client may name the parts of a different letter. */
export const isPartOf = (
  headers: Readonly<Record<string, string>>,
  { group, from }: FoundLetter,
  stream: string,
): boolean => partOf(headers)?.startsWith(`${stream}.${group}.${from}.`) === true;

/** True if two stored messages are the same letter, even if they come from different attempts or owners. */
export function isSameLetter(one: StoredLetter, other: StoredLetter, stream: string): boolean {
  const [a, b] = [readLetter(one, stream), readLetter(other, stream)];
  if (!a || !b || Buffer.compare(a.data, b.data) !== 0) return false;
  const what = ({ key, headers, partition, from, group, parts }: FoundLetter) =>
    JSON.stringify([key, Object.entries(headers).sort(), partition, from, group, parts]);
  return what(a) === what(b);
}

/** A decoded dead letter. */
export interface FoundLetter {
  /** The letter's sequence in the stream of dead letters. */
  sequence: number;
  data: Uint8Array;
  key: string | null;
  /** The message's own headers, without the key. */
  headers: Record<string, string>;
  partition: number;
  /** The message's own subject; empty if the letter does not name it. */
  subject: string;
  group: string;
  /** The message's sequence in its original stream. */
  from: number;
  attempts: number;
  error: string;
  /** When the letter was sent to the stream, in ISO 8601 format, on the member's clock. */
  time: string;
  /** Sequences of the parts, if the message did not fit into the letter; otherwise empty. */
  parts: number[];
}

/** A message in the stream of dead letters. */
export interface StoredLetter {
  sequence?: number;
  data: Uint8Array;
  headers: Readonly<Record<string, string>>;
}

/**
 * Decodes a letter.
 *
 * @returns undefined if the message is not a dead letter of this stream.
 */
export function readLetter(stored: StoredLetter, stream: string): FoundLetter | undefined {
  const { headers } = stored;
  const partition = countIn(headers[HEADERS.partition]);
  const from = countIn(headers[HEADERS.sequence]);
  const parts = (headers[HEADERS.parts] ?? '').split(' ').filter(Boolean).map(countIn);
  if (headers[HEADERS.stream] !== stream || partition === undefined || !from) return undefined;
  if (parts.length > MAX_PARTS || !parts.every((part) => part !== undefined)) return undefined;
  const { [KEY_HEADER]: key, ...own } = withoutOrders(headers);
  return {
    sequence: stored.sequence ?? 0,
    data: stored.data,
    key: key || null,
    headers: own,
    partition,
    subject: headers[HEADERS.subject] ?? '',
    from,
    group: headers[HEADERS.group] ?? '',
    attempts: countIn(headers[HEADERS.attempts]) ?? 0,
    error: headers[HEADERS.error] ?? '',
    time: headers[HEADERS.time] ?? '',
    parts,
  };
}

const countIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
