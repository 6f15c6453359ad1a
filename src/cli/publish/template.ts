import { randomBytes, randomInt } from 'node:crypto';
import { NatspocError } from '../../core/lib/errors.js';

/** Renders a template for one message; `count` is the message's number, from 1. */
export type Template = (count: number) => string;

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const MAX_RANDOM = 1_048_576;
const NANOS_PER_MS = 1_000_000n;

function randomText(shortest: number, longest: number): string {
  const bytes = randomBytes(shortest === longest ? shortest : randomInt(shortest, longest + 1));
  let text = '';
  for (const byte of bytes) text += LETTERS[byte % LETTERS.length] ?? '';
  return text;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** RFC 3339 in local time with seconds, as Go writes it: `2026-11-23T10:15:00+01:00`. */
function timeStamp(at: Date): string {
  const offset = -at.getTimezoneOffset();
  const zone =
    offset === 0
      ? 'Z'
      : `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${zone}`;
}

/** The time of day in Go's "kitchen" format: `3:04PM`. */
function kitchen(at: Date): string {
  const hours = at.getHours();
  return `${hours % 12 || 12}:${two(at.getMinutes())}${hours < 12 ? 'AM' : 'PM'}`;
}

/** The functions of `nats pub` that take no arguments. */
const FUNCTIONS: Record<string, Template> = {
  Count: (count) => String(count),
  Cnt: (count) => String(count),
  TimeStamp: () => timeStamp(new Date()),
  Time: () => kitchen(new Date()),
  Unix: () => String(Math.floor(Date.now() / 1_000)),
  UnixNano: () => String(BigInt(Date.now()) * NANOS_PER_MS),
  ID: () => randomText(22, 22),
};

function compileAction(action: string): Template {
  const [, name = '', ...args] = /^\.?(\w+)(?:\s+(\S+)\s+(\S+))?$/.exec(action.trim()) ?? [];
  const [first, second] = args;
  if (name === 'Random' && first !== undefined && second !== undefined) {
    const [shortest, longest] = [Number(first), Number(second)];
    if (/^\d+$/.test(first) && /^\d+$/.test(second) && shortest <= longest && longest <= MAX_RANDOM) {
      return () => randomText(shortest, longest);
    }
  }
  const known = first === undefined && Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (known) return known;
  throw new NatspocError(
    'usage',
    `Template {{${action}}}: unknown. Use {{${Object.keys(FUNCTIONS).join('}}, {{')}}} or {{Random MIN MAX}}.`,
  );
}

/**
 * Compiles a text with the functions of `nats pub`: `{{Count}}`, `{{TimeStamp}}`, `{{Time}}`, `{{Unix}}`,
 * `{{UnixNano}}`, `{{ID}}`, `{{Random MIN MAX}}`.
 *
 * @throws NatspocError `usage` if an action is unknown or not closed.
 */
export function compileTemplate(text: string): Template {
  const parts: Template[] = [];
  let rest = text;
  for (let open = rest.indexOf('{{'); open >= 0; open = rest.indexOf('{{')) {
    const close = rest.indexOf('}}', open);
    if (close < 0)
      throw new NatspocError('usage', `Template ${JSON.stringify(rest.slice(open))} is not closed with }}.`);
    const literal = rest.slice(0, open);
    if (literal) parts.push(() => literal);
    parts.push(compileAction(rest.slice(open + 2, close)));
    rest = rest.slice(close + 2);
  }
  if (rest || parts.length === 0) {
    const literal = rest;
    parts.push(() => literal);
  }
  const [first, second, third] = parts;
  if (first && !second) return first;
  if (first && second && !third) return (count) => first(count) + second(count);
  return (count) => {
    let rendered = '';
    for (const part of parts) rendered += part(count);
    return rendered;
  };
}

/** True if the text has template actions. */
export function isTemplate(text: string): boolean {
  return text.includes('{{');
}
