import { randomBytes } from 'node:crypto';
import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { KEY_HEADER, partitionOf } from '../protocol/layout.js';
import { MESSAGE_ID_HEADER } from '../protocol/message.js';
import { keyOf } from './outgoing.js';
import type { OutgoingMessage } from './types.js';

const STATUS_LINE = 'NATS/1.0\r\n';
const CACHED_KEYS = 8_192;

/** The partition of a message, and its encoded headers. */
export interface Envelope {
  readonly partition: number;
  readonly headers: Uint8Array | undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not get into a header
const UNSAFE_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|\p{Surrogate}|^\s|\s$/u;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** True if a header can carry this key or id unchanged. */
export function fitsHeader(value: string): boolean {
  return value !== '' && !UNSAFE_VALUE.test(value);
}

/**
 * The prefix of generated ids. It is random, because each process numbers its ids from zero. The server still remembers the ids of an
 * earlier process.
 */
export const newIdPrefix = (): string => `${randomBytes(9).toString('base64url')}-`;

/** The reason why the server would refuse a message of this size. `bytes` includes headers and payload. */
export const tooLarge = (bytes: number, maxPayload: number): string =>
  `A message of ${bytes} bytes, headers included, is larger than the server's max_payload of ${maxPayload} bytes.`;

function checkValue(what: string, value: string): void {
  if (!fitsHeader(value)) {
    if (value === '') throw new NatspocError('usage', `The ${what} is empty.`);
    const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
    throw new NatspocError(
      'usage',
      `The ${what} ${shown} cannot travel in a header: control characters, halves of surrogate pairs, and spaces at either end are not allowed.`,
    );
  }
}

/**
 * The lines of a message's own headers, without key and id.
 *
 * @throws NatspocError `usage` for a name or value that a header cannot carry.
 */
function headerLines(headers: Readonly<Record<string, unknown>>): string {
  let lines = '';
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name))
      throw new NatspocError('usage', `${JSON.stringify(name)} is not a header name.`);
    if (typeof value !== 'string')
      throw new NatspocError('usage', `The value of header ${name} is ${inWords(value)}: it must be text.`);
    if (value !== '' && (name === KEY_HEADER || name === MESSAGE_ID_HEADER)) continue;
    if (value !== '') checkValue(`value of header ${name}`, value);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** Computes the partitions of messages, and encodes their headers. Results that depend only on the key are cached. */
export class EnvelopeMaker {
  readonly #partitions: number;
  readonly #keys = new Map<string, Envelope & { lines: string }>();
  /** For each partition, the envelope of a message without headers. */
  readonly #bare: readonly Envelope[];
  #turn = 0;

  constructor(partitions: number) {
    this.#partitions = partitions;
    this.#bare = Array.from({ length: partitions }, (_, partition) => ({ partition, headers: undefined }));
  }

  /**
   * @param id the message id to send, if any
   * @param isOwnId true for an id of the publisher's own, which needs no check
   * @throws NatspocError `usage` for a key, id, header or partition that cannot be sent.
   */
  make(message: OutgoingMessage, id: string | undefined, isOwnId = false): Envelope {
    const { headers, partition } = message;
    const key = keyOf(message);
    if (partition !== undefined) this.#checkPartition(partition);
    if (key === undefined && headers === undefined && id === undefined) {
      return this.#bare[partition ?? this.#nextTurn()] ?? { partition: 0, headers: undefined };
    }
    const keyed = key === undefined ? undefined : this.#keyed(key);
    const target = partition ?? keyed?.partition ?? this.#nextTurn();
    if (keyed && headers === undefined && id === undefined) {
      return target === keyed.partition ? keyed : { partition: target, headers: keyed.headers };
    }
    let lines = keyed ? keyed.lines : STATUS_LINE;
    if (headers !== undefined) lines += headerLines(headers);
    if (id !== undefined) {
      if (!isOwnId) checkValue('message id', id);
      lines += `${MESSAGE_ID_HEADER}: ${id}\r\n`;
    }
    return { partition: target, headers: Buffer.from(`${lines}\r\n`, 'utf8') };
  }

  #keyed(key: string): Envelope & { lines: string } {
    const known = this.#keys.get(key);
    if (known) return known;
    checkValue('key', key);
    const lines = `${STATUS_LINE}${KEY_HEADER}: ${key}\r\n`;
    const made = {
      partition: partitionOf(key, this.#partitions),
      headers: Buffer.from(`${lines}\r\n`, 'utf8'),
      lines,
    };
    if (this.#keys.size < CACHED_KEYS) this.#keys.set(key, made);
    return made;
  }

  #checkPartition(partition: number): void {
    if (!(Number.isInteger(partition) && partition >= 0 && partition < this.#partitions)) {
      throw new NatspocError(
        'usage',
        `There is no partition ${inWords(partition)}: the partitions are 0 to ${this.#partitions - 1}.`,
      );
    }
  }

  #nextTurn(): number {
    const partition = this.#turn;
    this.#turn = partition + 1 === this.#partitions ? 0 : partition + 1;
    return partition;
  }
}
