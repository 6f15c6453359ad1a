/** The shape of `--json`: raw numbers, durations in milliseconds (`…Ms`), times in ISO 8601, null if unknown. */
import { type GroupStatus, totalsOf } from '../core/admin/group-status.js';
import { isEstimate, needsAttention } from '../core/admin/lease-status.js';
import type { MemberStatus } from '../core/admin/members.js';
import { drainMs } from '../core/lib/drain.js';
import { textOf } from '../core/lib/utf8.js';
import type { StreamFacts } from '../core/ports/facts.js';

/** A time in milliseconds since 1970 as ISO 8601. */
export const isoTime = (atMs: number | null | undefined): string | null =>
  atMs == null ? null : new Date(atMs).toISOString();

/** A payload as `data`, or as `data_base64` if it is not UTF-8. */
export function payloadJson(data: Uint8Array | string): { data: string } | { data_base64: string } {
  const text = typeof data === 'string' ? data : textOf(data);
  return text === undefined ? { data_base64: Buffer.from(data).toString('base64') } : { data: text };
}

/** A measured value, to one decimal place. */
export const round = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 10) / 10;

/** The partitions, members and totals of a group. */
export const groupJson = (status: GroupStatus) => ({
  totals: totalsOf(status),
  partitions: status.partitions.map((lease) => ({
    ...lease,
    ratePerSecond: round(lease.ratePerSecond),
    drainMs: drainMs(lease.lag, lease.ratePerSecond),
    lagIsEstimate: isEstimate(lease),
    unread: lease.unread ?? null,
    needsAttention: needsAttention(lease),
  })),
  members: status.members.map(memberJson),
  uncovered: status.uncovered ?? null,
  unread: status.unread ?? null,
  resize: status.resize ?? null,
  idle: status.idle ? { since: isoTime(status.idle.sinceMs) } : null,
});

function memberJson({ stats, answeredAtMs: _, ...member }: MemberStatus): object {
  return {
    ...member,
    lagIsEstimate: member.lagIsEstimate ?? false,
    unread: member.unread ?? null,
    ratePerSecond: round(member.ratePerSecond),
    uptimeMs: stats?.uptimeMs ?? null,
    handled: stats?.handled ?? null,
    failed: stats?.failed ?? null,
    retried: stats?.retried ?? null,
    inFlight: stats?.inFlight ?? null,
    withoutKey: stats?.withoutKey ?? null,
    handlerTimes: stats?.handlerTimes ?? null,
    memory: stats?.memory ?? null,
  };
}

/** An event of a group. `at` is when it was seen. */
export function eventJson({ event, ...rest }: { event: string }, atMs: number): object {
  const none = { partition: null, epoch: null, member: null, session: null, from: null, reason: null };
  return { at: isoTime(atMs), event, ...none, ...rest };
}

/** A stream's state and limits. */
export function streamJson({
  counts: _,
  uncovered,
  firstAtMs,
  lastAtMs,
  createdAtMs,
  ...facts
}: StreamFacts): object {
  return {
    ...facts,
    firstAt: isoTime(firstAtMs),
    lastAt: isoTime(lastAtMs),
    createdAt: isoTime(createdAtMs),
    uncovered: uncovered ?? null,
  };
}
