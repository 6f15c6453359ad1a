import type { PastEntry } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { MemberStats } from '../protocol/member-stats.js';
import type { SessionRecord } from '../protocol/records.js';

/**
 * How a member answered. `gone`: the server knows no such member; `silent`: no answer in time;
 * `denied`: the request is not permitted.
 */
type Answer = 'answered' | 'gone' | 'silent' | 'denied';

/** One member, from its session and its answer. */
export interface MemberStatus {
  session: string;
  name: string;
  host: string;
  pid: number;
  version: string;
  /** Its own wall clock, ISO 8601. */
  startedAt: string;
  leaving: boolean;
  ttlMs: number;
  /** Estimated time until the group considers it dead unless it renews; negative: overdue. */
  expiresInMs: number;
  answer: Answer;
  stats: MemberStats | null;
  /** Partitions whose leases name it. */
  partitions: number[];
  /** Messages that wait in these partitions; null: unknown for at least one. */
  lag: number | null;
}

/** The state of a member. `unreachable`: it has no connection; `expired`: it has not renewed; `silent`: it does not answer. */
export type MemberState = 'alive' | 'leaving' | 'silent' | 'expired' | 'unreachable';

/** States that need attention, the certain ones first. */
export const TROUBLED: readonly MemberState[] = ['unreachable', 'expired', 'silent'];

/** The state of a member as seen from outside. */
export function memberState({
  leaving,
  answer,
  expiresInMs,
}: Pick<MemberStatus, 'leaving' | 'answer' | 'expiresInMs'>): MemberState {
  if (answer === 'gone') return 'unreachable';
  if (expiresInMs < 0) return 'expired';
  if (leaving) return 'leaving';
  return answer === 'silent' ? 'silent' : 'alive';
}

/** True for a member that no longer runs, but whose session has not been removed yet. */
export function isDead(member: Pick<MemberStatus, 'leaving' | 'answer' | 'expiresInMs'>): boolean {
  const state = memberState(member);
  return state === 'unreachable' || state === 'expired';
}

/**
 * Asks the members with a session among these entries, and returns their states by session. The caller adds partitions
 * and lag.
 *
 * @param answerMs how long they have to answer, milliseconds.
 */
export async function readMembers(
  observer: GroupObserver,
  entries: readonly PastEntry[],
  answerMs: number,
): Promise<Map<string, MemberStatus>> {
  const sessions = readSessions(entries);
  // Waiting for silent members takes time, so ages of renewals are computed as of the time before the wait.
  const [{ renewals, lookedAtMs }, answers] = await Promise.all([
    readRenewals(observer),
    observer.stats([...sessions.keys()], answerMs),
  ]);
  const stats = new Map(answers.members.map((each) => [each.session, each]));
  const gone = new Set(answers.gone);
  const silence = answers.denied ? 'denied' : 'silent';
  const members = new Map<string, MemberStatus>();
  for (const [session, { record, writtenAtMs }] of sessions) {
    const renewedAtMs = renewals.get(session) ?? writtenAtMs;
    const { name, host, pid, version, startedAt, ttlMs, leaving = false } = record;
    members.set(session, {
      session,
      name,
      host,
      pid,
      version,
      startedAt,
      leaving,
      ttlMs,
      expiresInMs: Math.round(renewedAtMs + ttlMs - lookedAtMs),
      answer: stats.has(session) ? 'answered' : gone.has(session) ? 'gone' : silence,
      stats: stats.get(session) ?? null,
      partitions: [],
      lag: 0,
    });
  }
  return members;
}

/** When each member last renewed its proof of life, and when that was read, both by our wall clock. */
async function readRenewals(
  observer: GroupObserver,
): Promise<{ renewals: Map<string, number>; lookedAtMs: number }> {
  const renewals = new Map<string, number>();
  for (const { atMs, entry } of await observer.proofs())
    if (entry.kind === 'proof' && !entry.ended) renewals.set(entry.id, atMs);
  return { renewals, lookedAtMs: Date.now() };
}

function readSessions(
  entries: readonly PastEntry[],
): Map<string, { record: SessionRecord; writtenAtMs: number }> {
  const sessions = new Map<string, { record: SessionRecord; writtenAtMs: number }>();
  for (const { atMs, entry } of entries) {
    if (entry.kind !== 'session' || entry.record === null || entry.record === 'unreadable') continue;
    sessions.set(entry.id, { record: entry.record, writtenAtMs: atMs });
  }
  return sessions;
}
