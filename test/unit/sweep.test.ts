import assert from 'node:assert/strict';
import {
  keepSweeping,
  planPartitionSweep,
  planSweep,
  SWEEP_AGE_MS,
  sweep,
  sweepPartitions,
} from '../../src/core/member/sweep.js';
import type { PartitionTrace } from '../../src/core/ports/partition-traces.js';
import type { SessionTrace, SessionTraces } from '../../src/core/ports/session-traces.js';
import { MAX_TTL_MS } from '../../src/core/protocol/timing.js';
import { ManualClock } from '../support/manual-clock.js';

const NOW = 10 * SWEEP_AGE_MS;
const session = (id: string, ended: boolean, ageMs: number): SessionTrace => ({
  kind: 'session',
  id,
  revision: 2,
  ended,
  atMs: NOW - ageMs,
});
const proof = (id: string, ended: boolean, ageMs: number): SessionTrace => ({
  ...session(id, ended, ageMs),
  kind: 'proof',
});
const OLD = SWEEP_AGE_MS;
const FRESH = SWEEP_AGE_MS - 1;

const named = (traces: readonly SessionTrace[]): string[] => traces.map(({ kind, id }) => `${kind} ${id}`);

/** A model with these traces. `purged` collects the deleted ones. */
function model(traces: SessionTrace[]): SessionTraces & { purged: SessionTrace[] } {
  const purged: SessionTrace[] = [];
  return {
    purged,
    read: async () => ({ traces, nowMs: NOW }),
    purge: async (trace) => {
      purged.push(trace);
    },
  };
}

describe('sweeping the traces of ended sessions', () => {
  it('a sweep keeps markers for at least twice the longest ttl', () => {
    assert.ok(SWEEP_AGE_MS >= 2 * MAX_TTL_MS);
  });

  it('a sweep removes old markers, and keeps live and recently ended sessions', () => {
    const traces = [
      session('A', true, OLD),
      proof('A', true, OLD),
      session('B', true, FRESH),
      proof('B', true, FRESH),
      session('C', false, OLD),
      proof('C', false, 100),
    ];
    assert.deepEqual(named(planSweep(traces, NOW)), ['session A', 'proof A']);
    assert.deepEqual(planSweep([], NOW), []);
  });

  it('a sweep removes an old proof of life without a session, and keeps the proofs of live sessions', () => {
    assert.deepEqual(named(planSweep([proof('A', false, OLD)], NOW)), ['proof A']);
    assert.deepEqual(planSweep([proof('A', false, FRESH)], NOW), []);
    assert.deepEqual(planSweep([session('A', false, OLD), proof('A', true, OLD)], NOW), []);
  });

  it('a sweep does nothing for a small number of traces', async () => {
    const traces = model([session('A', true, OLD), proof('A', true, OLD), session('B', true, OLD)]);
    assert.equal(await sweep(traces, 3), 0);
    assert.deepEqual(traces.purged, []);
    assert.equal(await sweep(traces, 2), 2);
    assert.deepEqual(named(traces.purged), ['session A', 'proof A', 'session B']);
  });

  it('a sweep repeats every hour, even after a failure, until it is stopped', async () => {
    const clock = new ManualClock();
    let reads = 0;
    const traces: SessionTraces = {
      read: () => Promise.reject(new Error(`not permitted, ${++reads}`)),
      purge: () => Promise.resolve(),
    };
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    const none = { read: async () => undefined, purge: async () => {} };
    const stop = keepSweeping(traces, none, { clock, random: () => 0.5 });
    await settled();
    assert.equal(reads, 1);
    clock.advance(3_600_000);
    await settled();
    assert.equal(reads, 2);
    stop();
    assert.equal(clock.timers, 0);
  });
});

describe('sweeping the entries of partitions of earlier layouts', () => {
  const trace = (kind: PartitionTrace['kind'], partition: number, more: Partial<PartitionTrace> = {}) => ({
    ...{ kind, partition, revision: 5, ended: false, entries: 1, atMs: NOW - OLD },
    ...more,
  });
  const found = (traces: PartitionTrace[]): string[] =>
    planPartitionSweep(traces, 8, NOW).map(({ kind, partition }) => `${kind} ${partition}`);

  it('a sweep removes old entries of partitions that the layout does not have', () => {
    assert.deepEqual(found([trace('position', 7), trace('position', 8), trace('cleared', 9)]), [
      'position 8',
      'cleared 9',
    ]);
    assert.deepEqual(found([trace('position', 8, { atMs: NOW - FRESH })]), []);
  });

  it('a sweep keeps the newest entry of each lease, and existing pins and pauses', () => {
    assert.deepEqual(found([trace('lease', 8), trace('lease', 9, { entries: 2 })]), ['lease 9']);
    assert.deepEqual(found([trace('override', 8), trace('override', 9, { ended: true })]), ['override 9']);
  });

  it('a sweep does not touch groups that were never resized', async () => {
    const purge = (): never => assert.fail('nothing is old');
    assert.equal(await sweepPartitions({ read: async () => undefined, purge }), 0);
  });
});
