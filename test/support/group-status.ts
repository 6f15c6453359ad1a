import type { LeaseStatus } from '../../src/core/admin/lease-status.js';
import type { MemberStatus } from '../../src/core/admin/members.js';

/** A healthy owned partition, with these changes. */
export function lease(partition: number, change: Partial<LeaseStatus> = {}): LeaseStatus {
  return {
    partition,
    reservedFor: null,
    reservedMs: null,
    owner: 'a',
    session: 'S1',
    epoch: 10 + partition,
    reason: 'claim',
    from: null,
    heldMs: 1_000,
    position: 5,
    end: 5,
    positionFault: null,
    overrideUnreadable: false,
    lag: 0,
    oldestMs: null,
    trimmed: 0,
    positionAgeMs: 100,
    paused: false,
    pausedBy: null,
    pausedMs: null,
    pin: null,
    ratePerSecond: 0,
    state: 'running',
    holdUp: null,
    ...change,
  };
}

/** A healthy member, with these changes. */
export function member(session: string, change: Partial<MemberStatus> = {}): MemberStatus {
  return {
    session,
    name: session.toLowerCase(),
    host: 'h',
    pid: 1,
    version: '1.0.0',
    startedAt: '2026-01-01T00:00:00.000Z',
    ttlMs: 10_000,
    renewedAgoMs: 1_000,
    expiresInMs: 9_000,
    answer: 'answered',
    answeredAtMs: null,
    stats: null,
    state: 'live',
    ratePerSecond: null,
    partitions: [],
    lag: 0,
    ...change,
  };
}
