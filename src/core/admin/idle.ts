import type { JobFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { GroupEntries } from './group-entries.js';

/** A group whose members had a bounded job, have done it, and left. */
export interface Idle {
  /** When the last of them had done its job, milliseconds since 1970 on its clock. */
  sinceMs: number;
}

/**
 * Why a group without members needs none: its last members did a bounded job ("consume --until-caught-up"). A lease that changed
 * after the job, or still names an owner, belongs to a member without such a job, which must not be missing.
 *
 * @returns undefined if the group has members, or should have some.
 */
export async function readIdle(
  observer: Pick<GroupObserver, 'job'>,
  entries: Pick<GroupEntries, 'sessions' | 'leases'>,
): Promise<Idle | undefined> {
  if (entries.sessions.size > 0) return undefined;
  const job = await observer.job();
  return job && isLast(job, entries) ? { sinceMs: job.atMs } : undefined;
}

const isLast = ({ revision }: JobFacts, { leases }: Pick<GroupEntries, 'leases'>): boolean =>
  [...leases.values()].every(
    (lease) =>
      lease.revision < revision &&
      lease.record !== 'unreadable' &&
      (lease.record === null || lease.record.owner === null),
  );
