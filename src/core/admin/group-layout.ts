import { NatspocError } from '../lib/errors.js';
import { unanswered } from '../lib/unanswered.js';
import type { PositionFacts } from '../ports/facts.js';
import type { Bucket } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import { decodeGroupLayout, type GroupLayoutRecord, hasOwnPartitions } from '../protocol/layout-records.js';
import { startsAt } from '../protocol/partition-start.js';

/** The layout of a keyed group, and the revision of its entry. */
export interface FoundLayout {
  layout: GroupLayoutRecord;
  revision: number;
}

/**
 * Reads the layout of a keyed group.
 *
 * @returns undefined for a group that uses the stream's own layout.
 * @throws NatspocError if the layout cannot be read.
 */
export async function findGroupLayout(bucket: Bucket, group: string): Promise<FoundLayout | undefined> {
  const found = await bucket.read(keys.groupLayout(group));
  if (found.kind === 'missing') return undefined;
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') throw unanswered(`read the layout of group ${group}`, found);
  const { value, revision } = found.entry;
  if (value === null) return undefined;
  const layout = decodeGroupLayout(value);
  if (layout) return { layout, revision };
  throw new NatspocError(
    'failed',
    `The layout of group ${group} cannot be read: a newer version of natspoc wrote it.`,
  );
}

/** The layouts of the groups whose partitions are not those of the stream, by group. */
export async function otherLayouts(
  bucket: Bucket,
  groups: readonly string[],
): Promise<Map<string, GroupLayoutRecord>> {
  const layouts = new Map<string, GroupLayoutRecord>();
  for (const group of groups) {
    const found = await findGroupLayout(bucket, group);
    if (found && !hasOwnPartitions(found.layout)) layouts.set(group, found.layout);
  }
  return layouts;
}

/**
 * The positions of a group's present partitions. Positions from before the last resize are left out, because they belong to other
 * partitions. A partition that no member has taken over yet gets the lowest position of the earlier partitions that share keys with it.
 */
export function positionsNow(
  stored: readonly PositionFacts[],
  layout: GroupLayoutRecord | undefined,
  atMs: number,
): PositionFacts[] {
  if (!layout) return [...stored];
  const epoch = layout.epoch ?? 0;
  const current = stored.filter(({ unreadable, layout: of = 0 }) => unreadable || of === epoch);
  if (epoch === 0) return current;
  const known = new Set(current.map(({ partition }) => partition));
  const fresh = Array.from({ length: layout.partitions }, (_, partition) => partition)
    .filter((partition) => !known.has(partition))
    .map((partition) => ({
      partition,
      sequence: startsAt(partition, layout),
      epoch: 0,
      atMs,
      layout: epoch,
    }));
  return [...current, ...fresh];
}
