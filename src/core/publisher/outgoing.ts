import { isUint8Array } from 'node:util/types';
import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { unknownName } from '../lib/unknown-name.js';
import { KEY_HEADER } from '../protocol/layout.js';
import { MESSAGE_ID_HEADER } from '../protocol/message.js';
import type { OutgoingMessage } from './types.js';

const KNOWN: Record<keyof OutgoingMessage, true> = {
  data: true,
  key: true,
  partition: true,
  subject: true,
  headers: true,
  id: true,
};
const FIELDS = new Set(Object.keys(KNOWN));

const usage = (text: string): NatspocError => new NatspocError('usage', text);

/**
 * Validates a message. JavaScript programs can pass anything.
 *
 * @throws NatspocError `usage` for an invalid message.
 */
export function checkMessage(message: OutgoingMessage): void {
  const given: unknown = message;
  if (typeof given !== 'object' || given === null) {
    throw usage(`A message is an object with data, not ${inWords(given)}.`);
  }
  // Otherwise a misspelled key would be ignored, and the message would go to any partition.
  for (const name in message)
    if (!FIELDS.has(name)) throw usage(unknownName('A message', 'field', name, [...FIELDS]));
  const { data, key, id, headers, subject }: { [K in keyof OutgoingMessage]?: unknown } = message;
  if (typeof data !== 'string' && !isUint8Array(data)) {
    throw usage(
      `data: ${inWords(data)} is neither text nor bytes (Uint8Array). Convert it, for example with JSON.stringify.`,
    );
  }
  if (typeof key !== 'string' && key !== undefined && key !== null) {
    throw usage(`key: ${inWords(key)} is not text. Convert it with String(…).`);
  }
  if (typeof subject !== 'string' && subject !== undefined)
    throw usage(`subject: ${inWords(subject)} is not text.`);
  if (typeof id !== 'string' && id !== undefined) throw usage(`id: ${inWords(id)} is not text.`);
  if (headers === undefined) return;
  // Object.entries finds nothing in a Map, in Headers or in the client's own headers. All headers would be lost.
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) {
    throw usage('headers: not an object of names and texts, such as { "X-Trace": "7" }.');
  }
}

/** True for a message that {@link checkMessage} accepts. */
export function isMessage(message: OutgoingMessage): boolean {
  try {
    checkMessage(message);
    return true;
  } catch {
    return false;
  }
}

/** The key of a message, from its field `key` or from the header that members read. */
export function keyOf({ key, headers }: OutgoingMessage): string | undefined {
  return either('key', key ?? undefined, KEY_HEADER, headers?.[KEY_HEADER] || undefined);
}

/** The id of a message, from its field `id` or from the header that the server reads. */
export function givenId({ id, headers }: OutgoingMessage): string | undefined {
  return either('id', id, MESSAGE_ID_HEADER, headers?.[MESSAGE_ID_HEADER] || undefined);
}

function either(
  option: string,
  value: string | undefined,
  header: string,
  inHeader: string | undefined,
): string | undefined {
  if (value !== undefined && inHeader !== undefined && value !== inHeader) {
    throw usage(`${option} is ${inWords(value)}, but the header ${header} is ${inWords(inHeader)}.`);
  }
  return value ?? inHeader;
}
