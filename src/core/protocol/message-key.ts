import { messageOf } from '../lib/errors.js';
import { asObject, parseObject } from '../lib/json.js';
import { promiseOf } from '../lib/promise-of.js';
import { fnv1a32 } from './layout.js';
import type { StreamMessage } from './message.js';
import { subjectToken } from './subject.js';

/** How a keyed group finds the key of a message. Members compare `text` to check that they use the same key. */
export interface MessageKey {
  /** The text of the key, such as `subject:2`, `header:Customer`, `json:customer.id` or `function:tenant`. */
  readonly text: string;
  /** The key; null if the message has none. The partition then depends on the whole subject. */
  of(message: StreamMessage): string | null;
}

/** The highest token number in a key. In practice, subjects have fewer tokens. */
const MOST_TOKENS = 32;
const LONGEST_NAME = 128;

/** Parses the text of a key: `subject:2`, `subject:2,3`, `header:NAME` or `json:PATH`. Returns undefined for any other text. */
export function parseMessageKey(text: string): MessageKey | undefined {
  const [, kind, rest = ''] = /^(subject|header|json):(.+)$/.exec(text.trim()) ?? [];
  switch (kind) {
    case 'subject':
      return subjectKey(rest);
    case 'header':
      return headerKey(rest);
    case 'json':
      return jsonKey(rest);
    default:
      return undefined;
  }
}

/**
 * A key from a function of the members' program. Members compare only its name. `undefined` counts as null.
 *
 * @param find the function. If it throws, or returns anything else, `of` throws an error with the function and the message.
 */
export const namedKey = (name: string, find: (message: StreamMessage) => unknown): MessageKey => ({
  text: `function:${name}`,
  of: (message) => {
    const found = call(name, find, message);
    if (typeof found === 'string') return found;
    if (found === undefined || found === null) return null;
    const promise = promiseOf(found);
    // Nobody awaits the promise, so its rejection must not end the process.
    promise?.catch(() => {});
    throw failed(name, message, `returned ${promise ? 'a promise' : `a value of type ${typeof found}`}`);
  },
});

function call(name: string, find: (message: StreamMessage) => unknown, message: StreamMessage): unknown {
  try {
    return find(message);
  } catch (error) {
    throw failed(name, message, `threw "${messageOf(error)}"`, error);
  }
}

const failed = (name: string, { sequence }: StreamMessage, how: string, cause?: unknown): Error =>
  new Error(
    `the key function ${name} ${how} for message ${sequence}, so the partition of this message is unknown: let the function return text, or null for no key`,
    { cause },
  );

/** The partition of a message in a keyed group. If a message has no key, its whole subject is used as the key. */
export const partitionByKey = (key: string | null, message: StreamMessage, partitions: number): number =>
  fnv1a32(key ?? message.subject) % partitions;

/** The numbers of the subject tokens in a key, counted from 1; empty if there are none. */
export function tokensOf(key: string): number[] {
  const [, list] = /^subject:([\d,]+)$/.exec(key) ?? [];
  return list?.split(',').map(Number) ?? [];
}

function subjectKey(list: string): MessageKey | undefined {
  const numbers = list.split(',').map((each) => (/^[1-9]\d?$/.test(each) ? Number(each) : Number.NaN));
  if (!numbers.every((number) => number <= MOST_TOKENS)) return undefined;
  const [first = 1] = numbers;
  const text = `subject:${numbers.join(',')}`;
  if (numbers.length === 1) return { text, of: ({ subject }) => subjectToken(subject, first) ?? null };
  return {
    text,
    of: ({ subject }) => {
      const tokens = numbers.map((number) => subjectToken(subject, number));
      return tokens.includes(undefined) ? null : tokens.join('.');
    },
  };
}

function headerKey(name: string): MessageKey | undefined {
  if (!/^[!-9;-~]+$/.test(name) || name.length > LONGEST_NAME) return undefined;
  return { text: `header:${name}`, of: (message) => message.headers()[name] || null };
}

function jsonKey(path: string): MessageKey | undefined {
  const names = path.split('.');
  if (names.includes('') || path.length > LONGEST_NAME || /\p{Cc}/u.test(path)) return undefined;
  return { text: `json:${path}`, of: ({ data }) => valueAt(data, names) };
}

/** The text, number or boolean at a path of a JSON payload, as text. Null if there is none. */
function valueAt(data: Uint8Array, names: readonly string[]): string | null {
  let value: unknown = parseObject(data);
  for (const name of names) {
    const fields = asObject(value);
    value = fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}
