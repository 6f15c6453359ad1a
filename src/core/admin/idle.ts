import type { JobFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { GroupEntries } from './group-entries.js';
import type { GroupStatus } from './group-status.js';

/** A group whose members have finished a bounded job and left. */
export interface Idle {
  /** When the last member finished its job, in milliseconds since 1970 on that member's clock. */
  sinceMs: number;
}

/**
 * Decides whether a group without members is idle. It is idle if its last members finished a bounded job ("consume --until-caught-up"). If
 * a lease changed after the job, or still has an owner, a member without a bounded job came later. The group then needs members.
 *
 * @returns undefined if the group has members, or needs members.
 */
export async function readIdle(
  observer: Pick<GroupObserver, 'job'>,
  entries: Pick<GroupEntries, 'sessions' | 'leases'>,
): Promise<Idle | undefined> {
  return entries.sessions.size > 0 ? undefined : idleOf(await observer.job(), entries);
}

/** Like {@link readIdle}, but for a job that is already known. */
export const idleOf = (
  job: JobFacts | undefined,
  entries: Pick<GroupEntries, 'sessions' | 'leases'>,
): Idle | undefined =>
  job && entries.sessions.size === 0 && isLast(job, entries) ? { sinceMs: job.atMs } : undefined;

/** Marks the unowned partitions of an idle group as `idle`. */
export function withIdle(status: GroupStatus, idle: Idle | undefined): GroupStatus {
  if (!idle) return status;
  const partitions = status.partitions.map((lease) =>
    lease.state === 'unowned' ? { ...lease, state: 'idle' } : lease,
  );
  return { ...status, partitions, idle };
}

const isLast = ({ revision }: JobFacts, { leases }: Pick<GroupEntries, 'leases'>): boolean =>
  [...leases.values()].every(
    (lease) =>
      lease.revision < revision &&
      lease.record !== 'unreadable' &&
      (lease.record === null || lease.record.owner === null),
  );
