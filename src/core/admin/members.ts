import type { GroupObserver } from '../ports/observer.js';
import type { MemberStats } from '../protocol/member-stats.js';
import { type GroupEntries, nameOf, type SeenSession } from './group-entries.js';
import { ANSWER_MS, LATE_SHARE } from './thresholds.js';
import type { Unread } from './unread.js';

/**
 * A member's answer to a request. `gone`: the server knows no subscriber. So the member is not connected, or it is not permitted to
 * subscribe, or it is in another account. `silent`: no answer in time. `denied`: the request is not permitted.
 */
export type Answer = 'answered' | 'gone' | 'silent' | 'denied';

/**
 * The state of a member. `unreadable`: its session cannot be read. `unreachable`: it has no connection, and does not renew. `expired`: it
 * has not renewed for its ttl. `blocked`: like `expired`, but it answers. `leaving`: it hands over its partitions. `silent`:
 * it does not answer. `late`: it has missed a renewal. Otherwise `live`.
 */
export type MemberState =
  | 'live'
  | 'leaving'
  | 'late'
  | 'silent'
  | 'blocked'
  | 'expired'
  | 'unreachable'
  | 'unreadable';

/** States that need attention. The most certain problem comes first. */
export const TROUBLED: readonly MemberState[] = [
  'unreachable',
  'expired',
  'blocked',
  'unreadable',
  'silent',
  'late',
];

/** The facts about a member that its session does not contain. */
export interface MemberFacts {
  /** Time since the member's last observed renewal, in milliseconds. */
  renewedAgoMs: number;
  answer: Answer;
  /** The member's last answer, and its time in milliseconds since 1970; null if there was none. */
  stats: MemberStats | null;
  answeredAtMs: number | null;
}

/** A member, described from its session and its answers. */
export interface MemberStatus extends MemberFacts {
  session: string;
  name: string;
  /** Like the next fields up to `expiresInMs`: null if the session cannot be read. */
  host: string | null;
  pid: number | null;
  version: string | null;
  /** When the member started, on its wall clock, in ISO 8601. */
  startedAt: string | null;
  ttlMs: number | null;
  /** The estimated time until the member counts as dead unless it renews, in milliseconds; negative if it is overdue. */
  expiresInMs: number | null;
  state: MemberState;
  /** Recent messages per second; null if unknown. */
  ratePerSecond: number | null;
  /** Partitions whose leases name the member. */
  partitions: number[];
  /** Number of messages that wait in these partitions; null if unknown for one of them. */
  lag: number | null;
  /** True if the lag is an estimate: the server cannot count by key, or has no room for a consumer that counts. */
  lagIsEstimate?: boolean | undefined;
  /** For a keyed group: messages that the member has not read yet; absent if there are none, or if unknown. */
  unread?: Unread | undefined;
}

/**
 * A member without its partitions and lag, which {@link describeGroup} adds. `ratePerSecond`: by default the sum of the
 * reported rates.
 */
export function describeMember(
  session: SeenSession,
  facts: MemberFacts,
  ratePerSecond = reportedRate(facts.stats),
): MemberStatus {
  const { record } = session;
  const renewedAgoMs = Math.round(facts.renewedAgoMs);
  return {
    ...facts,
    session: session.id,
    name: nameOf(session),
    host: record?.host ?? null,
    pid: record?.pid ?? null,
    version: record?.version ?? null,
    startedAt: record?.startedAt ?? null,
    ttlMs: record?.ttlMs ?? null,
    renewedAgoMs,
    expiresInMs: record && record.ttlMs - renewedAgoMs,
    state: stateOf(session, facts),
    ratePerSecond,
    partitions: [],
    lag: 0,
  };
}

function stateOf({ record }: SeenSession, { answer, renewedAgoMs }: MemberFacts): MemberState {
  if (!record) return 'unreadable';
  // "No responders" alone proves nothing (SPEC.md, assumption A5). A member that renews is connected.
  if (answer === 'gone' && renewedAgoMs > Math.min(record.suspectMs, record.ttlMs)) return 'unreachable';
  if (renewedAgoMs > record.ttlMs) return answer === 'answered' ? 'blocked' : 'expired';
  if (record.leaving) return 'leaving';
  if (answer === 'silent') return 'silent';
  return isLate({ renewedAgoMs, ttlMs: record.ttlMs }) ? 'late' : 'live';
}

/** True for a member that has missed a renewal. */
export const isLate = ({ renewedAgoMs, ttlMs }: Pick<MemberStatus, 'renewedAgoMs' | 'ttlMs'>): boolean =>
  ttlMs !== null && renewedAgoMs > ttlMs * LATE_SHARE;

/** True for a member that has renewed, although the server knows no subscriber for requests to it. It may have died just now. */
export const isMute = (member: Pick<MemberStatus, 'answer' | 'state'>): boolean =>
  member.answer === 'gone' && member.state !== 'unreadable' && !isDead(member);

/** Describes the answer `gone` of a member to an operator's request. */
export const describeGone = (who: string): string =>
  `${who} accepts no such request: it is gone, of an older version, or not permitted to subscribe to natspoc.>`;

/** Why a member as a whole makes no progress, as it reports; undefined if it does not report this. */
export const ownTrouble = ({ stats }: Pick<MemberStatus, 'stats'>): string | undefined =>
  stats?.standing?.find(({ partition }) => partition === null)?.reason;

/** True for a dead member whose session still exists. */
export const isDead = ({ state }: Pick<MemberStatus, 'state'>): boolean =>
  state === 'unreachable' || state === 'expired';

/** The sum of rates; null if the list is empty or a rate is unknown. */
export function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 || known.length < values.length
    ? null
    : known.reduce((sum, each) => sum + each, 0);
}

const reportedRate = (stats: MemberStats | null): number | null =>
  sumOf(stats?.partitions.flatMap(({ ratePerSecond }) => ratePerSecond ?? []) ?? []);

/** Asks the members for their statistics. Returns their descriptions by session, without partitions and lag. */
export async function readMembers(
  observer: GroupObserver,
  { sessions }: GroupEntries,
): Promise<Map<string, MemberStatus>> {
  // The ages of renewals are computed at once. The wait for silent members would make renewals look older.
  const [{ renewals, lookedAtMs }, answers] = await Promise.all([
    readRenewals(observer),
    observer.stats([...sessions.keys()], ANSWER_MS),
  ]);
  // Meanwhile the other members' positions became old, so these members are asked again.
  const others = answers.members.map(({ session }) => session);
  const isSilent = others.length + answers.gone.length < sessions.size;
  const again = isSilent ? await observer.stats(others, ANSWER_MS) : { members: [] };
  const answeredAtMs = Date.now();
  const stats = new Map([...answers.members, ...again.members].map((each) => [each.session, each]));
  const gone = new Set(answers.gone);
  const silence = answers.denied ? 'denied' : 'silent';
  return new Map(
    [...sessions].map(([id, session]) => {
      const own = stats.get(id) ?? null;
      const facts: MemberFacts = {
        renewedAgoMs: lookedAtMs - (renewals.get(id) ?? session.atMs),
        answer: own ? 'answered' : gone.has(id) ? 'gone' : silence,
        stats: own,
        answeredAtMs: own && answeredAtMs,
      };
      return [id, describeMember(session, facts)];
    }),
  );
}

/** The time of each member's last renewal, and of this read, on this process's wall clock. */
async function readRenewals(
  observer: GroupObserver,
): Promise<{ renewals: Map<string, number>; lookedAtMs: number }> {
  const renewals = new Map<string, number>();
  for (const { atMs, entry } of await observer.proofs())
    if (entry.kind === 'proof' && !entry.ended) renewals.set(entry.id, atMs);
  return { renewals, lookedAtMs: Date.now() };
}
