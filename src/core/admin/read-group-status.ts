import type { PositionFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { PartitionStats } from '../protocol/member-stats.js';
import { describeGroup, ownReport } from './describe-group.js';
import { GroupEntries, readable } from './group-entries.js';
import { positionsNow } from './group-layout.js';
import type { GroupStatus } from './group-status.js';
import { readIdle, withIdle } from './idle.js';
import { readLags } from './lag.js';
import { readMembers } from './members.js';
import { type PositionFault, readPositionFaults } from './position-fault.js';
import { withUnread } from './unread.js';

/**
 * Reads the status of a group once.
 *
 * @param partitions the number of partitions of the stream; a keyed group stores its own number.
 * @throws the errors of the observer: no permission, no bucket, no answer.
 */
export async function readGroupStatus(observer: GroupObserver, partitions: number): Promise<GroupStatus> {
  const [past, stored] = await Promise.all([observer.entries(), observer.positions()]);
  const entries = new GroupEntries();
  for (const { entry, atMs } of past) if (entry.kind !== 'proof') entries.apply(entry, atMs);
  const layout = readable(entries.layout) ?? undefined;
  const positions = positionsNow(stored, layout, Date.now());
  const members = await readMembers(observer, entries);
  // Read the ends after the positions. In the other order, new messages could move a position beyond a known end.
  const [ends, stream] = await Promise.all([observer.ends(), observer.stream()]);
  const committed = new Map(positions.map((each) => [each.partition, each]));
  const last = new Map(ends.map((each) => [each.partition, each.sequence]));
  const nowMs = Date.now();
  const count = layout?.partitions ?? partitions;
  const start = committed.size < count ? await observer.start() : null;
  const progress = Array.from({ length: count }, (_, partition) => {
    const own = ownReport(entries, members, partition);
    const end = last.get(partition) ?? null;
    const known = describeProgress(committed.get(partition), own, nowMs);
    return { ...known, partition, end };
  });
  const waiting = progress.map(({ partition, position, end }) => ({
    ...{ partition, end },
    position: position ?? start,
  }));
  // Count the lags without delay: messages that were stored after the positions were read would look like lag.
  const [lags, faults] = await Promise.all([
    readLags(observer, waiting),
    readPositionFaults(observer, positions, stream),
  ]);
  const withLag = progress.map(({ partition, ...known }) => {
    const positionFault = faults.get(partition) ?? null;
    const {
      lag = null,
      oldestAtMs = null,
      unread,
      isEstimate,
    } = positionFault ? {} : (lags.get(partition) ?? {});
    const oldestMs = oldestAtMs === null ? null : Math.max(0, Math.round(nowMs - oldestAtMs));
    return {
      ...known,
      end: endOf(known.end, known.position, positionFault),
      positionFault,
      lag,
      oldestMs,
      ...(unread !== undefined && { unread }),
      isEstimate,
    };
  });
  const status = describeGroup(entries, members, withLag, nowMs, stream.uncovered);
  return withUnread(observer, withIdle(status, await readIdle(observer, entries)));
}

/**
 * The end of a partition, for display. A position can be beyond the partition's last message, because the reader of a keyed group also
 * passes messages of other partitions.
 */
function endOf(end: number | null, position: number | null, fault: PositionFault | null): number | null {
  return end === null || fault !== null ? end : Math.max(end, position ?? 0);
}

function describeProgress(commit: PositionFacts | undefined, own: PartitionStats | undefined, nowMs: number) {
  const position = commit && !commit.unreadable ? commit.sequence : null;
  return {
    // The position in the owner's answer may be newer than its last commit.
    position: own && own.position > 0 ? Math.max(position ?? 0, own.position) : position,
    ratePerSecond: own?.ratePerSecond ?? null,
    positionAgeMs: commit ? Math.max(0, Math.round(nowMs - commit.atMs)) : null,
    // The owner may have found dropped messages that its last commit does not contain.
    trimmed: Math.max(own?.trimmed ?? 0, commit?.trimmed ?? 0),
  };
}
