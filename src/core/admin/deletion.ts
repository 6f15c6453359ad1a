import { mapConcurrently } from '../lib/concurrently.js';
import type { Bucket } from '../ports/index.js';
import type { GroupObserver } from '../ports/observer.js';
import type { StreamAdmin } from '../ports/stream-admin.js';
import { findCleared, findStart, writeCleared } from './cleared.js';
import { planClearing } from './clearing.js';
import { otherLayouts } from './group-layout.js';
import type { TrimStep } from './trim.js';

const CONCURRENT_WRITES = 16;

/** The dependencies of a deletion of messages. */
export interface DeletionPorts {
  bucket: Bucket;
  messages: Pick<StreamAdmin, 'purge'>;
  /** The observer of the group of the configuration. */
  observer: GroupObserver;
  observers(groups: readonly string[]): ReadonlyMap<string, GroupObserver>;
}

/**
 * Carries out the plan of a trim. Records the deleted messages as handled, so that later owners do not count them as lost.
 *
 * @returns the number of deleted messages.
 */
export async function trimMessages(
  ports: DeletionPorts,
  steps: readonly TrimStep[],
  groups: readonly string[],
): Promise<number> {
  const ends = new Map(steps.map(({ partition, upTo }) => [partition, upTo ?? 0]));
  await recordCleared(ports, groups, (partition) => ends.get(partition) ?? 0);
  let deleted = 0;
  for (const { partition, upTo } of steps)
    if (upTo !== null) deleted += await ports.messages.purge(partition, upTo);
  return deleted;
}

/**
 * Deletes the messages of a partition up to and including a sequence, null as in {@link StreamAdmin.purge}. First records which messages
 * were handled. If this record fails, the messages are deleted nevertheless.
 *
 * @param groups the groups whose handled messages are recorded; undefined: nothing is recorded.
 * @param unrecorded called after the deletion if this record failed.
 * @returns the number of deleted messages.
 */
export async function purgeMessages(
  ports: DeletionPorts,
  groups: (() => Promise<string[]>) | undefined,
  { partition, upTo }: Pick<TrimStep, 'upTo'> & { partition: number | null },
  unrecorded: (error: unknown) => void,
): Promise<number> {
  const end = upTo ?? Number.POSITIVE_INFINITY;
  let failure: { error: unknown } | undefined;
  try {
    if (groups)
      await recordCleared(ports, await groups(), (each) =>
        partition === null || each === partition ? end : 0,
      );
  } catch (error) {
    failure = { error };
  }
  const deleted = await ports.messages.purge(partition, upTo);
  if (failure) unrecorded(failure.error);
  return deleted;
}

/**
 * Records for each group and partition a sequence up to which no message waits. Must be called before an operator deletes messages.
 *
 * @param deletedUpTo see {@link planClearing}.
 */
async function recordCleared(
  { bucket, observer, observers }: DeletionPorts,
  groups: readonly string[],
  deletedUpTo: (partition: number) => number,
): Promise<void> {
  const others = await otherLayouts(bucket, groups);
  const ports = {
    observers: observers(groups.filter((group) => !others.has(group))),
    observer,
    start: (group: string) => findStart(bucket, group),
    cleared: (group: string, partition: number) => findCleared(bucket, group, partition),
  };
  const { created, clearings } = await planClearing(ports, deletedUpTo);
  await mapConcurrently(clearings, CONCURRENT_WRITES, (each) => writeCleared(bucket, each, created));
}
