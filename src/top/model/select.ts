import { describeGroup, ownReport } from '../../core/admin/describe-group.js';
import { readable, type SeenSession } from '../../core/admin/group-entries.js';
import type { GroupStatus } from '../../core/admin/group-status.js';
import { idleOf, withIdle } from '../../core/admin/idle.js';
import { type LeaseStatus, standsStill } from '../../core/admin/lease-status.js';
import { describeMember, isDead, type MemberStatus, sumOf } from '../../core/admin/members.js';
import { addUnread } from '../../core/admin/unread.js';
import type { Member, Model, Progress } from './model.js';
import { ratePerSecond } from './series.js';

/** All partition numbers of the layout. While it is unknown, those of the known leases. */
export function partitionsOf({ layout, group }: Model): number[] {
  const keyed = readable(group.layout);
  const count = keyed?.partitions ?? layout?.partitions ?? Math.max(-1, ...group.leases.keys()) + 1;
  return Array.from({ length: count }, (_, partition) => partition);
}

/** Messages of a partition that are not handled yet; null if unknown. */
export function lagOf(model: Model, partition: number): number | null {
  const known = model.progress.get(partition);
  if (model.stream?.facts.counts[partition] === 0) return 0;
  if (!known) return null;
  const { position, end, reader, waiting } = known;
  if (reader && reader.epoch >= known.epoch) return reader.pending + inMemory(model, partition, known);
  if (waiting && waiting.after === (position ?? 0)) return waiting.count;
  if (position !== null && end !== null && position >= end) return 0;
  return null;
}

function inMemory(model: Model, partition: number, { position, reader, handled }: Progress): number {
  if (!reader || position === null || position >= reader.deliveredSequence) return 0;
  if (handled !== null) return Math.max(0, reader.deliveredCount - handled);
  // The sequences between also belong to other partitions, so only this partition's share counts.
  const { counts, firstSequence, lastSequence } = model.stream?.facts ?? {};
  const share = (counts?.[partition] ?? 1) / Math.max(1, (lastSequence ?? 1) - (firstSequence ?? 0) + 1);
  const between = Math.round((reader.deliveredSequence - position) * Math.min(1, share));
  return Math.min(Math.max(1, between), reader.deliveredCount);
}

/** The last sequence of a partition. It is at least the position, which may have been read later. */
function endOf(progress: Progress | undefined): number | null {
  if (!progress || progress.end === null) return null;
  return Math.max(progress.end, progress.position ?? 0);
}

function oldestOf(progress: Progress | undefined, now: number): number | null {
  const { waiting, position } = progress ?? {};
  const at = waiting && waiting.after === (position ?? 0) && waiting.count > 0 ? waiting.storedAtMs : null;
  return at == null ? null : Math.max(0, Math.round(now - at));
}

/** Computes a function only once per model. A screen asks for the same rows many times. */
export function once<T>(compute: (model: Model) => T): (model: Model) => T {
  const known = new WeakMap<Model, T>();
  return (model) => {
    let value = known.get(model);
    if (value === undefined) {
      value = compute(model);
      known.set(model, value);
    }
    return value;
  };
}

/** True if two models have the same status, because its inputs are the same. */
const isMadeOfTheSame = (a: Model, b: Model): boolean =>
  a.now === b.now &&
  a.group === b.group &&
  a.members === b.members &&
  a.stream === b.stream &&
  a.connection === b.connection &&
  a.job === b.job &&
  a.layout === b.layout;

/**
 * The last status for each `progress` object. The end of a polling round changes only charts and keeps this object, so the status stays
 * valid.
 */
const described = new WeakMap<Model['progress'], { model: Model; status: GroupStatus }>();

/** The group as the command `leases` shows it. */
export function statusOf(model: Model): GroupStatus {
  const known = described.get(model.progress);
  if (known && isMadeOfTheSame(known.model, model)) return known.status;
  const status = describe(model);
  described.set(model.progress, { model, status });
  return status;
}

function describe(model: Model): GroupStatus {
  const { group, now } = model;
  const members = new Map<string, MemberStatus>();
  for (const [id, session] of group.sessions) {
    const member = model.members.get(id);
    if (member) members.set(id, memberOf(model, session, member));
  }
  const progress = partitionsOf(model).map((partition) => {
    const known = model.progress.get(partition);
    // The last report of a silent member may be outdated.
    const works = isAnswering(members.get(group.ownerOf(partition) ?? ''));
    const own = works ? ownReport(group, members, partition) : undefined;
    return {
      position: known?.position ?? null,
      end: endOf(known),
      lag: lagOf(model, partition) ?? own?.lag ?? null,
      oldestMs: oldestOf(known, now),
      unread: known?.waiting?.ofGroup,
      // The reader knows the exact number.
      isEstimate: known?.reader ? undefined : known?.waiting?.isEstimate,
      ratePerSecond: known && works ? ratePerSecond(known.counts.series) : null,
      positionFault: null,
      positionAgeMs: known?.committedAt ? Math.max(0, Math.round(now - known.committedAt)) : null,
      trimmed: ownReport(group, members, partition)?.trimmed ?? 0,
    };
  });
  const seen = describeGroup(group, members, progress, now, model.stream?.facts.uncovered);
  const status = withIdle(seen, idleOf(model.job ?? undefined, group));
  const storedAt = ({ partition }: LeaseStatus): number | null =>
    model.progress.get(partition)?.waiting?.storedAtMs ?? null;
  return addUnread(status, storedAt, now);
}

/** True for a member whose last report is probably still valid. */
const isAnswering = (member: MemberStatus | undefined): boolean =>
  member !== undefined && !isDead(member) && member.answer !== 'silent';

function memberOf(model: Model, session: SeenSession, member: Member): MemberStatus {
  const { renewedAt, lookedAt, answer, stats, statsAt } = member;
  const { connection, now } = model;
  // The last time at which the screen could see a renewal.
  const seenAt = lookedAt ?? (connection.state === 'connected' ? now : connection.since);
  const facts = { renewedAgoMs: Math.max(0, seenAt - renewedAt), answer, stats, answeredAtMs: statsAt };
  return describeMember(session, facts, rateOf(model, session.id, member));
}

/** The rate of the member's own counter. If unknown, the sum over its partitions. */
function rateOf(model: Model, id: string, { handled, answer }: Member): number | null {
  const own = ratePerSecond(handled);
  if (own !== null) return answer === 'answered' || answer === 'denied' ? own : 0;
  return sumOf(
    model.group.ownedBy(id).flatMap((partition) => {
      const series = model.progress.get(partition)?.counts.series ?? [];
      return series.length === 0 ? [] : [ratePerSecond(series)];
    }),
  );
}

/** All partitions, by number. */
export const partitionRows = (model: Model): readonly LeaseStatus[] => statusOf(model).partitions;

/** All living members, by name. */
export const memberRows = (model: Model): readonly MemberStatus[] => statusOf(model).members;

/** The age of each member's oldest waiting message, by session, in milliseconds; absent if unknown. */
export const oldestByMember = once((model: Model): ReadonlyMap<string, number> => {
  const ages = new Map<string, number>();
  for (const { session, oldestMs } of partitionRows(model))
    if (session !== null && oldestMs !== null) ages.set(session, Math.max(oldestMs, ages.get(session) ?? 0));
  return ages;
});

/** The owners of partitions in which messages wait and nothing is handled. */
export const standingOwners = once(
  (model: Model): ReadonlySet<string | null> =>
    new Set(partitionRows(model).flatMap((row) => (standsStill(row) ? [row.session] : []))),
);

/** The rates of the stream and of all members together, in messages per second; null if unknown. */
export function ratesOf(model: Model): { published: number | null; handled: number | null } {
  const known = model.handled.series.length > 0;
  return {
    published: ratePerSecond(model.stream?.published ?? []),
    handled: known
      ? ratePerSecond(model.handled.series)
      : sumOf(memberRows(model).map((member) => member.ratePerSecond)),
  };
}
