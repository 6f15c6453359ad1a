import { mapConcurrently } from '../lib/concurrently.js';
import type { PositionMark } from '../protocol/position-mark.js';
import { checkPartitions } from './arguments.js';
import type { GroupPorts } from './group-admin-contract.js';
import { findGroupLayout, positionsNow } from './group-layout.js';
import { KeyedMessages } from './keyed-messages.js';
import { checkedTarget, planSeek, type SeekStep, type SeekTarget } from './seek-target.js';

const CONCURRENT_PLANS = 8;

/** Plans the moves of positions to one target. */
export interface SeekPlanner {
  /** Plans the move from the current position. `position` is `unreadable` if the current position cannot be read. */
  plan(partition: number, position: PositionMark | null | 'unreadable'): Promise<SeekStep>;
  /** The mark of a position at this sequence. It holds the times at which the stream was created and the message was stored. */
  mark(sequence: number): Promise<PositionMark>;
}

/** A planner that computes positions from the current stream. `partitions` counts the group's partitions. */
export async function seekPlanner(
  { observer, sequenceAt }: Pick<GroupPorts, 'observer' | 'sequenceAt'>,
  partitions: number,
  target: SeekTarget,
  signal?: AbortSignal,
): Promise<SeekPlanner> {
  const [stream, start] = await Promise.all([observer.stream(), observer.start()]);
  const keyed = observer.keyed && new KeyedMessages(observer, observer.keyed, partitions, stream, signal);
  const source = { observer, keyed, stream, start, sequenceAt };
  return {
    plan: (partition, position) => planSeek(source, partition, position, target),
    mark: async (sequence) => {
      const stored = sequence > 0 ? await observer.storedTime(sequence) : undefined;
      return { sequence, created: stream.createdAtMs, stored };
    },
  };
}

/**
 * Plans a seek: the new position of each partition, and how many messages it skips or repeats. Changes nothing.
 *
 * @param ofStream the stream's number of partitions, for a group that stores no layout of its own.
 */
export async function planSeeks(
  ports: GroupPorts,
  partitions: readonly number[],
  target: SeekTarget,
  ofStream: number,
  signal?: AbortSignal,
): Promise<SeekStep[]> {
  const layout = (await findGroupLayout(ports.bucket, ports.group))?.layout;
  const facts = positionsNow(await ports.observer.positions(), layout, Date.now());
  const positions = new Map<number, PositionMark | 'unreadable'>(
    facts.map((each) => [each.partition, each.unreadable ? 'unreadable' : each]),
  );
  const count = layout?.partitions ?? ofStream;
  checkPartitions(partitions, count);
  const { plan } = await seekPlanner(ports, count, checkedTarget(target), signal);
  return mapConcurrently(partitions, CONCURRENT_PLANS, (partition) =>
    plan(partition, positions.get(partition) ?? null),
  );
}
