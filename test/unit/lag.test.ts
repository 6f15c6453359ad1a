import assert from 'node:assert/strict';
import { checkGroup } from '../../src/core/admin/check.js';
import { totalsOf } from '../../src/core/admin/group-status.js';
import { readGroupStatus } from '../../src/core/admin/read-group-status.js';
import { drainMs } from '../../src/core/lib/drain.js';
import type { GroupObserver } from '../../src/core/ports/observer.js';
import type { MemberStats } from '../../src/core/protocol/member-stats.js';
import { lease as leaseEntry, session } from '../support/group-driver.js';
import { lease, member } from '../support/group-status.js';

const unused = (): never => assert.fail('not needed');

/** A group of A and B. A handles each message at once. B does not answer. Time passes only in requests. */
function observerOfSilent(): { observer: GroupObserver; asked: string[][] } {
  let stored = 0;
  const asked: string[][] = [];
  const statsOfA = (): MemberStats => ({
    v: 1,
    session: 'A',
    name: 'a',
    group: 'g',
    stream: 'S',
    host: 'h',
    pid: 1,
    version: '1.0.0',
    startedAt: '2026-01-01T00:00:00.000Z',
    uptimeMs: 1,
    partitions: [{ partition: 0, epoch: 3, position: stored, handled: stored, lag: 0, state: 'running' }],
    handled: stored,
    failed: 0,
    memory: { allocBytes: 0, totalAllocBytes: 0, sysBytes: 0, numGc: 0, verdict: '' },
  });
  const observer: GroupObserver = {
    entries: async () =>
      [session('A', 1), session('B', 2), leaseEntry(0, 3, 'A')].map((entry) => ({ atMs: Date.now(), entry })),
    proofs: async () => [],
    job: async () => undefined,
    start: async () => null,
    positions: async () => [{ partition: 0, sequence: 0, epoch: 3, atMs: Date.now() }],
    stats: async (sessions) => {
      asked.push([...sessions]);
      const answer = statsOfA();
      // While B's answer is awaited, a hundred messages arrive and are handled.
      if (sessions.includes('B')) stored += 100;
      return { members: [answer], gone: [] };
    },
    ends: async () => [{ partition: 0, sequence: stored, atMs: Date.now() }],
    stream: async () => ({
      name: 'S',
      subjects: [],
      messages: stored,
      bytes: 0,
      firstSequence: 1,
      lastSequence: stored,
      firstAtMs: null,
      lastAtMs: null,
      consumers: 0,
      storage: 'file',
      replicas: 1,
      leader: null,
      followers: [],
      maxMessages: null,
      maxBytes: null,
      maxAgeMs: null,
      duplicateWindowMs: null,
      counts: [stored],
    }),
    waiting: async (partition, after) => ({
      partition,
      after,
      count: stored - after,
      storedAtMs: Date.now(),
    }),
    storedTime: async () => undefined,
    ...{ watch: unused, history: unused, leaseHistory: unused, deadLetters: unused, readers: unused },
    ...{ sequences: unused, storedAt: unused, messages: unused },
  };
  return { observer, asked };
}

describe('the lag', () => {
  it('the lag is up to date, although another member does not answer', async () => {
    const { observer, asked } = observerOfSilent();
    const status = await readGroupStatus(observer, 1);
    assert.deepEqual(asked, [['A', 'B'], ['A']]);
    const [first] = status.partitions;
    assert.deepEqual([first?.position, first?.end, first?.lag, first?.oldestMs], [100, 100, 0, null]);
  });

  it('the lag of a partition without a position is counted from where its group starts', async () => {
    const { observer } = observerOfSilent();
    const counted: number[] = [];
    const status = await readGroupStatus(
      {
        ...observer,
        stats: async () => ({ members: [], gone: [] }),
        positions: async () => [],
        start: async () => 40,
        ends: async () => [{ partition: 0, sequence: 50, atMs: Date.now() }],
        waiting: async (partition, after) => {
          counted.push(after);
          return { partition, after, count: 50 - after };
        },
      },
      1,
    );
    assert.deepEqual([counted, status.partitions[0]?.lag, status.partitions[0]?.position], [[40], 10, null]);
  });

  it('the lag has the age of its oldest message and the time to drain it, and a check may limit the age', () => {
    const members = [member('S1')];
    const partitions = [
      lease(0, { lag: 300, oldestMs: 61_000, ratePerSecond: 10 }),
      lease(1, { lag: 100, oldestMs: 2_000, ratePerSecond: 10 }),
      lease(2),
    ];
    const { oldestMs, drainMs: all } = totalsOf({ partitions, members });
    assert.deepEqual([oldestMs, all], [61_000, 20_000]);
    assert.deepEqual([drainMs(0, 0), drainMs(5, 0), drainMs(null, 1)], [0, null, null]);
    const limits = { maxLag: undefined, stalled: [] };
    assert.deepEqual(checkGroup({ partitions, members }, limits), []);
    const [found, ...more] = checkGroup({ partitions, members }, { ...limits, maxAgeMs: 60_000 });
    assert.deepEqual([found?.kind, found?.severity, found?.partition, more], ['age', 'critical', 0, []]);
  });
});
