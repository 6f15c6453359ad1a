import type { PastEntry } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { MemberStats } from '../protocol/member-stats.js';
import type { SessionRecord } from '../protocol/records.js';

/**
 * How a member answered for itself. `gone`: the server knows nobody of that id; `silent`: no answer in time;
 * `denied`: we may not ask.
 */
type Answer = 'answered' | 'gone' | 'silent' | 'denied';

/** One member, from its session entry and what it says about itself. */
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
  /** Until the group takes it for dead unless it renews; negative: overdue. By the observer's estimate. */
  expiresInMs: number;
  answer: Answer;
  stats: MemberStats | null;
  /** Partitions whose leases name it. */
  partitions: number[];
  /** Messages that wait in these; null: not known of all of them. */
  lag: number | null;
}

/** How a member is. `unreachable`: it has no connection; `expired`: it has not renewed; `silent`: it does not answer. */
export type MemberState = 'alive' | 'leaving' | 'silent' | 'expired' | 'unreachable';

/** States of which somebody should know, the certain ones first. */
export const TROUBLED: readonly MemberState[] = ['unreachable', 'expired', 'silent'];

/** How a member is, as far as can be seen from outside. */
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

/** True where nothing runs any more, though nobody has taken its session away yet. */
export function isDead(member: Pick<MemberStatus, 'leaving' | 'answer' | 'expiresInMs'>): boolean {
  const state = memberState(member);
  return state === 'unreachable' || state === 'expired';
}

/**
 * Asks the members that have a session among these entries, and says how each of them is, by session; partitions and
 * lag are left to the caller.
 *
 * @param answerMs how long they have to answer, milliseconds.
 */
export async function readMembers(
  observer: GroupObserver,
  entries: readonly PastEntry[],
  answerMs: number,
): Promise<Map<string, MemberStatus>> {
  const sessions = readSessions(entries);
  // Members that do not answer are waited for: how long ago they have renewed is said as of before.
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

/** When each member renewed its proof of life last, and when that was looked at, both by our wall clock. */
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
