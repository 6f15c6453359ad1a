import { randomBytes } from 'node:crypto';
import type { OutgoingMessage } from '../../core/publisher/types.js';
import { compileTemplate, isTemplate } from './template.js';
import { zipf } from './zipf.js';

/** A source of messages. `next` returns a promise only if it must wait, because promises are slow. */
export interface MessageSource {
  /** The next message; `undefined` at the end of the source. */
  next(): OutgoingMessage | undefined | Promise<OutgoingMessage | undefined>;
  /** Lines skipped because they could not be used. */
  readonly skipped: number;
  /** The origin of the message that `next` returned last, such as `Line 3 of stdin`; absent for generated messages. */
  readonly place?: string | undefined;
  /** Closes files and streams. */
  close(): void;
}

/** The key, partition, id and headers of a source's messages. */
export interface Addressing {
  /** Template of the keys, with the syntax of payload templates. */
  key?: string | undefined;
  /** Spreads messages over this many generated keys, `key-0` and so on, in turn. */
  keys?: number | undefined;
  /** With `keys`: chooses keys by Zipf's law with this exponent instead of in turn. */
  keySkew?: number | undefined;
  partition?: number | undefined;
  /** Template of message ids. Within its duplicate window, the stream stores each id only once. */
  id?: string | undefined;
  /** Header values are templates. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** A message without its payload. */
type Address = Omit<OutgoingMessage, 'data'>;

/** Returns the address of message `count`, from 1. If all addresses are equal, they are one object. */
export type Addresser = (count: number) => Address;

function keyChooser({ key, keys, keySkew }: Addressing): ((count: number) => string) | undefined {
  if (key !== undefined) return compileTemplate(key);
  if (keys === undefined) return undefined;
  const names = Array.from({ length: keys }, (_, index) => `key-${index}`);
  const choose = keySkew === undefined ? (count: number) => (count - 1) % keys : zipf(keys, keySkew);
  return (count) => names[choose(count)] ?? '';
}

/** @throws NatspocError `usage` for a bad template. */
export function addresser(addressing: Addressing): Addresser {
  const { partition, headers, id } = addressing;
  const key = keyChooser(addressing);
  const makeId = id === undefined ? undefined : compileTemplate(id);
  const templates = Object.entries(headers ?? {}).map(
    ([name, text]) => [name, compileTemplate(text)] as const,
  );
  const changing = Object.values(headers ?? {}).some(isTemplate);
  const makeHeaders = (count: number) =>
    changing ? Object.fromEntries(templates.map(([name, make]) => [name, make(count)])) : headers;
  if (!key && !makeId && !changing) {
    const same: Address = { key: undefined, partition, headers, id: undefined };
    return () => same;
  }
  return (count) => ({ key: key?.(count), partition, headers: makeHeaders(count), id: makeId?.(count) });
}

/** Generated payloads: a template, or `sizeBytes` of the same random text in each message. */
export type Payload = { template: string } | { sizeBytes: number };

/**
 * An endless source of generated messages.
 *
 * @throws NatspocError `usage` for a bad template.
 */
export function generatedSource(payload: Payload, addressing: Addressing): MessageSource {
  const addressOf = addresser(addressing);
  const fixed = 'sizeBytes' in payload ? fixedPayload(payload.sizeBytes) : undefined;
  const render = 'template' in payload ? compileTemplate(payload.template) : undefined;
  let count = 0;
  let address: Address | undefined;
  let message: OutgoingMessage | undefined;
  return {
    skipped: 0,
    next() {
      const nextAddress = addressOf(++count);
      // The message is the same as before.
      if (message && fixed && address === nextAddress) return message;
      address = nextAddress;
      const { key, partition, headers, id } = address;
      message = { data: render ? render(count) : (fixed ?? ''), key, partition, headers, id };
      return message;
    },
    close() {},
  };
}

/** A payload of random text, which cannot be compressed. */
function fixedPayload(sizeBytes: number): Uint8Array {
  const text = randomBytes(Math.ceil((sizeBytes * 3) / 4)).toString('base64url');
  return Buffer.from(text.slice(0, sizeBytes), 'latin1');
}
