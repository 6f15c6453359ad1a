import assert from 'node:assert/strict';
import {
  keepSweeping,
  planSweep,
  type SessionTrace,
  type SessionTraces,
  SWEEP_AGE_MS,
  sweep,
} from '../../src/core/operate/sweep.js';
import { ManualClock } from '../support/manual-clock.js';

const NOW = 10 * SWEEP_AGE_MS;
const old = (revision: number): SessionTrace => ({ revision, ended: true, atMs: 0 });
const fresh = (revision: number): SessionTrace => ({ revision, ended: true, atMs: NOW - SWEEP_AGE_MS + 1 });
const live = (revision: number, atMs = NOW): SessionTrace => ({ revision, ended: false, atMs });

/** Traces of a model; `purged` collects the bounds. */
function model(traces: SessionTrace[]): SessionTraces & { purged: number[] } {
  const purged: number[] = [];
  return {
    purged,
    read: async () => ({ traces, nowMs: NOW }),
    purge: async (below) => {
      purged.push(below);
      traces.splice(0, traces.length, ...traces.filter(({ revision }) => revision >= below));
    },
  };
}

describe('sweeping the traces of ended sessions', () => {
  it('takes old markers below everything that lives or has ended lately', () => {
    assert.deepEqual(planSweep([old(3), old(5), live(9), fresh(12)], NOW), { below: 6, markers: 2 });
    assert.deepEqual(planSweep([old(3), old(5)], NOW), { below: 6, markers: 2 });
    assert.deepEqual(planSweep([old(3), old(9), fresh(5)], NOW), { below: 4, markers: 1 });
  });

  it('never reaches the newest entry of a session that has not ended, however old that is', () => {
    assert.deepEqual(planSweep([live(2, 0), old(3), old(5)], NOW), { below: 1, markers: 0 });
    assert.deepEqual(planSweep([], NOW), { below: 1, markers: 0 });
  });

  it('does nothing where there is too little', async () => {
    const traces = model([old(3), old(5), live(9)]);
    assert.equal(await sweep(traces, 3), 0);
    assert.deepEqual(traces.purged, []);
    assert.equal(await sweep(traces, 2), 2);
    assert.deepEqual(traces.purged, [6]);
  });

  it('goes on every hour, also after a failure, until it is stopped', async () => {
    const clock = new ManualClock();
    let reads = 0;
    const traces: SessionTraces = {
      read: () => Promise.reject(new Error(`not permitted, ${++reads}`)),
      purge: () => Promise.resolve(),
    };
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    const stop = keepSweeping(traces, { clock, random: () => 0.5 });
    await settled();
    assert.equal(reads, 1);
    clock.advance(3_600_000);
    await settled();
    assert.equal(reads, 2);
    stop();
    assert.equal(clock.timers, 0);
  });
});
