import { parseDuration } from '../lib/units.js';

/** A place in the stream: a sequence, or the first message stored at a time or later. */
export type StreamPlace = { kind: 'sequence'; sequence: number } | { kind: 'time'; time: Date };

/** Where a group without positions starts: the first message, new messages only, a sequence, or a time. */
export type StartFrom = { kind: 'first' } | { kind: 'new' } | StreamPlace;

/** {@link StartFrom} as text. */
export type StartFromText = 'first' | 'new' | `seq:${number}` | `time:${string}`;

/** An ISO 8601 date, optionally with a time and zone: `2026-01-31T08:00:00.5Z`. */
const ISO_8601 = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** Parses a time. Undefined for impossible days, and for texts such as `5`, which `Date.parse` would accept. */
function parseTime(text: string): Date | undefined {
  const date = ISO_8601.exec(text)?.[1];
  if (date === undefined) return undefined;
  const [day, time] = [new Date(date), new Date(text)];
  const isReal = !Number.isNaN(time.getTime()) && day.toISOString().startsWith(date);
  return isReal ? time : undefined;
}

/** Reads `seq:N` (a safe integer), a time with or without `time:`, or a duration before now, such as `-1h`. */
export function parsePlace(text: string): StreamPlace | undefined {
  const sequence = Number(/^seq:([1-9]\d{0,15})$/.exec(text)?.[1]);
  if (Number.isSafeInteger(sequence)) return { kind: 'sequence', sequence };
  const agoMs = text.startsWith('-') ? parseDuration(text.slice(1)) : undefined;
  const time = agoMs === undefined ? parseTime(text.replace(/^time:/, '')) : new Date(Date.now() - agoMs);
  return time && { kind: 'time', time };
}

/** The ends of a stream, by the names that natspoc and other tools use. */
const ENDS: Record<string, 'first' | 'new'> = {
  first: 'first',
  earliest: 'first',
  new: 'new',
  last: 'new',
  latest: 'new',
};

/** The texts that {@link parseFrom} accepts, for error messages. */
export const FROM_ALLOWED = 'first, new, seq:N, a time such as 2026-01-31T08:00:00Z, or -1h';

/** Reads `first`, `new` and their other names, or a place as {@link parsePlace} does. */
export function parseFrom(text: string): StartFrom | undefined {
  const kind = Object.hasOwn(ENDS, text) ? ENDS[text] : undefined;
  return kind ? { kind } : parsePlace(text);
}

/** Reads a value that a program passes: text that {@link parseFrom} accepts, or a {@link StartFrom}. */
export function readFrom(value: unknown): StartFrom | undefined {
  if (typeof value === 'string') return parseFrom(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, sequence, time }: { kind?: unknown; sequence?: unknown; time?: unknown } = value;
  if (kind === 'first' || kind === 'new') return { kind };
  if (kind === 'sequence') return parsePlace(`seq:${String(sequence)}`);
  const isTime = kind === 'time' && time instanceof Date && !Number.isNaN(time.getTime());
  return isTime ? { kind, time } : undefined;
}
