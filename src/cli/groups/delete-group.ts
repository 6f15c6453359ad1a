import { fenceMember } from '../../core/admin/fence.js';
import { GroupEntries } from '../../core/admin/group-entries.js';
import { isDead, isMute, type MemberStatus } from '../../core/admin/members.js';
import type { StreamAdmin } from '../../core/admin/stream-admin.js';
import { systemClock } from '../../core/lib/clock.js';
import { NatspocError } from '../../core/lib/errors.js';
import { formatDuration } from '../../core/lib/units.js';
import { MAX_TTL_MS } from '../../core/protocol/timing.js';

/**
 * A member that renewed within this time, in milliseconds, may be alive. Its connection can be invisible, for example while the servers of
 * a cluster are disconnected from each other.
 */
const RECENT_MS = 2_000;

/** An unreadable session may have any permitted ttl. */
const isGone = (member: MemberStatus): boolean =>
  member.state === 'unreadable'
    ? member.renewedAgoMs > MAX_TTL_MS
    : isDead(member) && member.renewedAgoMs > RECENT_MS;

/**
 * Throws if a member of the group is alive.
 *
 * @param doing the action that is refused for a group with members, such as "deleted".
 * @returns the sessions of dead members that are not fenced yet.
 * @throws NatspocError `members-alive`, with the name of a member.
 */
export async function deadSessions(stream: StreamAdmin, group: string, doing: string): Promise<string[]> {
  const { members } = await stream.group(group).status();
  const [alive, ...more] = members.filter((member) => !isGone(member));
  if (!alive) return members.map(({ session }) => session);
  const advice =
    isDead(alive) || isMute(alive)
      ? 'The member may be alive: try again in a moment, or stop it.'
      : `Stop them first; a group with members cannot be ${doing}.`;
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  throw new NatspocError(
    'members-alive',
    `Group ${group} has members: ${alive.name} (${alive.state}, renewed ${formatDuration(alive.renewedAgoMs)} ago)${others}. ${advice}`,
  );
}

/**
 * Deletes all entries of a group in the bucket: leases, positions, pins and pauses, and the layout. Dead members are fenced first, so that
 * a process that was only suspended cannot continue. A member that joins meanwhile keeps its entries.
 *
 * @returns the number of deleted entries, including past entries.
 * @throws NatspocError `members-alive`, or the refusal of the server.
 */
export async function deleteGroup(stream: StreamAdmin, group: string): Promise<number> {
  const { bucket } = stream;
  for (const session of await deadSessions(stream, group, 'deleted')) {
    const fenced = await fenceMember({ bucket, clock: systemClock }, group, session);
    if (fenced.kind === 'alive')
      throw new NatspocError('members-alive', `Group ${group} has a member that is alive: ${session}.`);
    if (fenced.kind === 'failed')
      throw new NatspocError('failed', `Session ${session} could not be ended: ${fenced.message}.`);
  }
  const revision = await stream.newestRevision();
  // Finds a member that joined before `revision` was read. A later member writes at higher revisions, which are not purged.
  if (await hasSessions(stream, group))
    throw new NatspocError('members-alive', `A member joined group ${group} meanwhile: nothing was deleted.`);
  const deleted = await stream.purgeGroup(group, revision);
  if (await hasSessions(stream, group))
    throw new NatspocError(
      'failed',
      `A member joined group ${group} while it was deleted: stop it, and delete the group again.`,
    );
  return deleted;
}

/** True if a group has members, dead or alive, that are not fenced. */
export async function hasSessions(stream: StreamAdmin, group: string): Promise<boolean> {
  const entries = new GroupEntries();
  for (const { entry, atMs } of await stream.group(group).observer.entries())
    if (entry.kind !== 'proof') entries.apply(entry, atMs);
  return entries.sessions.size > 0;
}
