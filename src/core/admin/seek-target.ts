import { FROM_ALLOWED, parseFrom, readFrom, type StartFrom } from '../config/start-from.js';
import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { asObject } from '../lib/json.js';
import type { StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import { misfit, type PositionMark } from '../protocol/position-mark.js';
import type { KeyedMessages } from './keyed-messages.js';
import { type Count, countsOf, type MessageCounts } from './message-counts.js';
import { describePositionFault, type PositionFault } from './position-fault.js';

/**
 * The target of a position: an end of the stream, a sequence or time to continue at, or a number of messages from the
 * present position.
 */
export type SeekTarget = StartFrom | { kind: 'relative'; messages: number };

/**
 * Parses a target: a value of `--from`, or a number of messages such as `-100` or `+100`. `+0` keeps the position.
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
    `--to: ${JSON.stringify(text)} is not ${FROM_ALLOWED}, or a number of messages such as -100 or +100.`,
  );
}

/**
 * Checks a target that a program passes.
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

/** The sources from which the position of a target is computed. */
export interface SeekSource {
  observer: Pick<GroupObserver, 'waiting' | 'sequences' | 'storedTime'>;
  /** Present for a keyed group. */
  keyed?: KeyedMessages | undefined;
  stream: Pick<StreamFacts, 'firstSequence' | 'lastSequence' | 'createdAtMs'>;
  /** The first sequence stored at or after a time; undefined if the server does not answer. */
  sequenceAt(time: Date): Promise<number | undefined>;
}

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
  /** True if these numbers are estimates, because the server cannot count by key. */
  countIsEstimate: boolean;
}

/**
 * The planned move of one partition's position, with the number of messages that the move skips or repeats.
 *
 * @param position the current position with its mark; null if the group has no position in the partition; `unreadable` if
 *   the position cannot be read.
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
  const counts = source.keyed?.of(partition) ?? countsOf(observer, partition);
  const from = known ?? Math.max(0, stream.firstSequence - 1);
  const { to, passed } = await resolve(source, from, target, counts);
  const { messages, isEstimate } = passed ?? (await counts.between(Math.min(from, to), Math.max(from, to)));
  return {
    partition,
    from: known,
    to,
    skipped: to > from ? messages : 0,
    repeated: to < from ? messages : 0,
    countIsEstimate: to !== from && isEstimate,
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
  // The end of the stream was read first, so the position may have moved beyond it since then. If the message at the position
  // exists, the stream has grown, and the position is not beyond its present end.
  const end = typeof stored === 'number' ? Math.max(last, position.sequence) : last;
  return misfit(position, { last: end, created, stored });
}

async function resolve(
  { stream, sequenceAt }: SeekSource,
  from: number,
  target: SeekTarget,
  counts: MessageCounts,
): Promise<{ to: number; passed?: Count | undefined }> {
  const { firstSequence, lastSequence } = stream;
  switch (target.kind) {
    case 'first':
      return { to: Math.max(0, firstSequence - 1) };
    case 'new':
      return { to: lastSequence };
    case 'sequence':
      return { to: Math.min(target.sequence - 1, lastSequence) };
    case 'time': {
      const sequence = await sequenceAt(target.time);
      if (sequence === undefined) {
        throw new NatspocError(
          'unreachable',
          'Could not look up the time: the server did not answer in time.',
        );
      }
      return { to: Math.min(Math.max(sequence - 1, firstSequence - 1, 0), lastSequence) };
    }
    case 'relative': {
      const { messages } = target;
      if (messages === 0) return { to: from };
      return messages < 0
        ? counts.back(firstSequence - 1, from, -messages)
        : counts.forward(from, lastSequence, messages);
    }
  }
}
