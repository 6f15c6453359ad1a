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

/** Where a seek moves positions: to an end of the stream, to a sequence or time, or by a number of messages. */
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

/** The data from which a new position is computed. */
export interface SeekSource {
  observer: Pick<GroupObserver, 'waiting' | 'sequences' | 'storedTime'>;
  /** Set only for a keyed group. */
  keyed?: KeyedMessages | undefined;
  stream: Pick<StreamFacts, 'firstSequence' | 'lastSequence' | 'createdAtMs'>;
  /** A partition without a position starts after this sequence. Default: before the first message of the stream. */
  start?: number | null;
  /** The first sequence stored at or after a time. Rejects with a NatspocError if the server does not answer. */
  sequenceAt(time: Date): Promise<number>;
}

/** The planned move of one position. */
export interface SeekStep {
  partition: number;
  /** The current position; null if the group has no position in the partition. */
  from: number | null;
  /** The new position. */
  to: number;
  /** How many messages will never be handled (`skipped`), and how many will be handled again (`repeated`). */
  skipped: number;
  repeated: number;
  /** True if these numbers are estimates: the server cannot count by key, or has no room for a consumer that counts. */
  countIsEstimate: boolean;
}

/**
 * Plans the move of one partition's position.
 *
 * @param position the current position; null if the group has none here; `unreadable` if it cannot be read.
 * @throws NatspocError `check-failed` if the target is relative and the current position is wrong.
 */
export async function planSeek(
  source: SeekSource,
  partition: number,
  position: PositionMark | null | 'unreadable',
  target: SeekTarget,
): Promise<SeekStep> {
  const { observer } = source;
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
  const from = known ?? startIn(source, position);
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

/** Where a partition without a readable position starts. */
function startIn({ stream, start }: SeekSource, position: PositionMark | null | 'unreadable'): number {
  const first = Math.max(0, stream.firstSequence - 1);
  return position === null ? Math.max(first, Math.min(start ?? 0, stream.lastSequence)) : first;
}

async function faultOf(
  { observer, stream }: SeekSource,
  position: PositionMark | null | 'unreadable',
): Promise<PositionFault | null> {
  if (position === 'unreadable') return 'broken';
  if (position === null) return null;
  const { lastSequence: last, createdAtMs: created } = stream;
  const stored = position.stored === undefined ? undefined : await observer.storedTime(position.sequence);
  // The stream's end was read before the message at the position. If this message exists, the stream has grown in the meantime.
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
