import { FROM_ALLOWED, parseFrom, readFrom, type StartFrom } from '../config/start-from.js';
import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { asObject } from '../lib/json.js';
import type { StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import { misfit, type PositionMark } from '../protocol/position-mark.js';
import { describePositionFault, type PositionFault } from './position-fault.js';

/** The target of a position: an end of the stream, a sequence or time to continue at, or a number of messages from the present place. */
export type SeekTarget = StartFrom | { kind: 'relative'; messages: number };

/**
 * Reads a target: a text as for `--from`, or `-100` or `+100`; `+0` keeps the position.
 *
 * @throws NatspocError `usage` for anything else.
 */
export function parseSeekTarget(text: string): SeekTarget {
  const place = parseFrom(text);
  if (place) return place;
  const messages = /^([+-][1-9]\d{0,11}|\+0)$/.exec(text)?.[0];
  if (messages) return { kind: 'relative', messages: Number(messages) };
  throw new NatspocError(
    'usage',
    `--to: ${JSON.stringify(text)} is not ${FROM_ALLOWED}; or -100 or +100 messages.`,
  );
}

/**
 * The target that a program gives.
 *
 * @throws NatspocError `usage` for anything but a {@link SeekTarget}.
 */
export function checkedTarget(target: unknown): SeekTarget {
  const { kind, messages } = { ...asObject(target) };
  if (kind === 'relative' && Number.isSafeInteger(messages)) return { kind, messages: Number(messages) };
  const place = asObject(target) && readFrom(target);
  if (place) return place;
  const kinds = [
    "'first'",
    "'new'",
    "'sequence', sequence: 9",
    "'time', time: new Date()",
    "'relative', messages: -100",
  ];
  throw new NatspocError(
    'usage',
    `target: ${inWords(target)} is not one of ${kinds.map((each) => `{ kind: ${each} }`).join(', ')}.`,
  );
}

/** What is needed to find a target. */
export interface SeekSource {
  observer: Pick<GroupObserver, 'waiting' | 'sequences' | 'storedTime'>;
  stream: Pick<StreamFacts, 'firstSequence' | 'lastSequence' | 'createdAtMs'>;
  /** The first sequence stored at or after a time; undefined if the server does not answer. */
  sequenceAt(time: Date): Promise<number | undefined>;
}

/** Up to this number, messages are counted one by one; beyond it, the server's counts are used. */
const COUNTED = 10_000;
/** Tolerance for the difference of two server counts, because messages may be published between them. */
const BLUR = 500;

/** The planned move of one position. */
export interface SeekStep {
  partition: number;
  /** The current position; null if the group has no position in the partition. */
  from: number | null;
  /** The new position. */
  to: number;
  /** Number of messages that will never be handled, and of messages that will be handled again. */
  skipped: number;
  repeated: number;
}

/**
 * The planned move of one partition's position, with the number of messages that it skips or repeats.
 *
 * @param position the current position with its mark; null if the group has none in the partition; `unreadable` if it cannot be read.
 * @throws NatspocError `check-failed` for a relative target if the position is wrong.
 */
export async function planSeek(
  source: SeekSource,
  partition: number,
  position: PositionMark | null | 'unreadable',
  target: SeekTarget,
): Promise<SeekStep> {
  const { observer, stream } = source;
  const known = position === 'unreadable' ? null : (position?.sequence ?? null);
  const fault = target.kind === 'relative' ? await faultOf(source, position) : null;
  if (fault !== null) {
    const why = describePositionFault(fault, known);
    throw new NatspocError(
      'check-failed',
      `p${partition}: ${why}, with --to first, new, seq:N or time:ISO-8601. Nothing was moved.`,
    );
  }
  const counts: Counts = {
    about: async (after, upTo) => {
      const [more, less] = await Promise.all([after, upTo].map((at) => observer.waiting(partition, at)));
      return (more?.count ?? 0) - (less?.count ?? 0);
    },
    sequences: async (after, upTo, limit) =>
      (await observer.sequences(partition, after, limit)).filter((sequence) => sequence <= upTo),
  };
  const from = known ?? Math.max(0, stream.firstSequence - 1);
  const to = await resolve(source, from, target, counts);
  const between = to === from ? 0 : await count(Math.min(from, to), Math.max(from, to), counts);
  return {
    partition,
    from: known,
    to,
    skipped: to > from ? between : 0,
    repeated: to < from ? between : 0,
  };
}

async function faultOf(
  { observer, stream }: SeekSource,
  position: PositionMark | null | 'unreadable',
): Promise<PositionFault | null> {
  if (position === 'unreadable') return 'broken';
  if (position === null) return null;
  const { lastSequence: last, createdAtMs: created } = stream;
  const stored = position.stored === undefined ? undefined : await observer.storedTime(position.sequence);
  // The end was read before the position, which may have moved since then. A message that exists is not beyond the end.
  const end = typeof stored === 'number' ? Math.max(last, position.sequence) : last;
  return misfit(position, { last: end, created, stored });
}

/** Counts messages of the partition after one sequence and up to another. */
interface Counts {
  /** Counted by the server. */
  about(after: number, upTo: number): Promise<number>;
  /** The sequences of the first `limit` messages. */
  sequences(after: number, upTo: number, limit: number): Promise<number[]>;
}

async function count(after: number, upTo: number, { about, sequences }: Counts): Promise<number> {
  const roughly = await about(after, upTo);
  return roughly > COUNTED ? roughly : (await sequences(after, upTo, roughly + BLUR)).length;
}

async function resolve(
  { stream, sequenceAt }: SeekSource,
  from: number,
  target: SeekTarget,
  counts: Counts,
): Promise<number> {
  const { firstSequence, lastSequence } = stream;
  switch (target.kind) {
    case 'first':
      return Math.max(0, firstSequence - 1);
    case 'new':
      return lastSequence;
    case 'sequence':
      return Math.min(target.sequence - 1, lastSequence);
    case 'time': {
      const sequence = await sequenceAt(target.time);
      if (sequence === undefined) {
        throw new NatspocError(
          'unreachable',
          'Could not look up the time: the server did not answer in time.',
        );
      }
      return Math.min(Math.max(sequence - 1, firstSequence - 1, 0), lastSequence);
    }
    case 'relative': {
      const { messages } = target;
      return messages < 0
        ? back(firstSequence - 1, from, -messages, counts)
        : forward(from, lastSequence, messages, counts);
    }
  }
}

/** The position this number of messages before `from`. */
async function back(lowest: number, from: number, messages: number, counts: Counts): Promise<number> {
  const isCounted = messages <= COUNTED;
  const wanted = isCounted ? messages + BLUR : messages;
  const low = await search(lowest, from, async (at) => (await counts.about(at, from)) >= wanted);
  if (!isCounted) return low;
  const sequences = await counts.sequences(low, from, wanted + 2 * BLUR);
  return sequences.at(-messages - 1) ?? low;
}

/** The position this number of messages after `from`. */
async function forward(from: number, last: number, messages: number, counts: Counts): Promise<number> {
  if (messages > COUNTED) return search(from, last, async (at) => (await counts.about(from, at)) <= messages);
  return (await counts.sequences(from, last, messages)).at(-1) ?? from;
}

/**
 * The highest sequence of a range for which `holds` is true; `low` if it is never true. `holds` must be true up to some
 * sequence and false after it. A binary search, because a partition's messages have no numbers of their own.
 */
async function search(
  low: number,
  high: number,
  holds: (sequence: number) => Promise<boolean>,
): Promise<number> {
  let [least, most] = [Math.max(0, low), high];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (await holds(middle)) least = middle;
    else most = middle - 1;
  }
  return least;
}
