import assert from 'node:assert/strict';
import { BlockedLoop } from '../../src/core/member/engine/blocked.js';
import { Standstill } from '../../src/core/member/engine/standstill.js';
import type { RunnerStatus } from '../../src/core/member/partition/contract.js';
import type { HeldBack } from '../../src/core/member/partition/gate.js';
import { initialState } from '../../src/core/protocol/initial-state.js';
import type { OwnPartition, State } from '../../src/core/protocol/state.js';
import { timingFor } from '../../src/core/protocol/timing.js';

const STATUS: RunnerStatus = {
  covered: 0,
  position: 10,
  committed: 10,
  handled: 0,
  lag: 0,
  trimmed: 0,
  caughtUp: false,
  state: 'running',
};

/** A member that owns partition 3 and may handle messages. */
function bench() {
  const timing = timingFor(10_000, 400);
  const state: State = initialState({ group: 'g', name: 'me', partitions: 4, timing, seed: 1 });
  state.connected = true;
  state.viewReady = true;
  state.session.revision = 7;
  state.permit = Number.POSITIVE_INFINITY;
  const own: OwnPartition = {
    epoch: 5,
    phase: 'running',
    since: 0,
    retryAt: 0,
    settled: null,
    settling: false,
    drainedUnder: 0,
    rested: false,
    drainFailed: false,
    died: null,
    release: null,
    reason: 'claim',
    from: null,
  };
  state.own.set(3, own);
  const bucket = { refusal: undefined as string | undefined, answerMs: 1 };
  const runner = {
    status: { ...STATUS },
    running: [] as { sequence: number; key: string | null }[],
    held: undefined as HeldBack | undefined,
    acquiring: false,
  };
  const failure = { text: undefined as string | undefined };
  const standstill = new Standstill({
    state,
    bucket,
    status: () => runner,
    failureOf: () => failure.text,
  });
  return { state, own, bucket, runner, failure, standstill };
}

describe('a standstill', () => {
  it('a standstill is reported after ten seconds, then once a minute, with the reason', () => {
    const { own, failure, standstill } = bench();
    own.phase = 'waiting';
    failure.text = 'its reader could not be opened in time';
    const told: number[] = [];
    for (let now = 0; now <= 75_000; now += 1_000) {
      // Meanwhile the partition starts again, but makes no progress.
      own.phase = now % 2_000 === 0 ? 'waiting' : 'starting';
      for (const { partition, why, reason } of standstill.look(now)) {
        assert.deepEqual([partition, why, reason], [3, 'stuck', 'its reader could not be opened in time']);
        told.push(now);
      }
    }
    assert.deepEqual(told, [10_000, 70_000]);
  });

  it('a partition is not stuck if the program is the cause: it has paused the partition, or its handlers are busy', () => {
    const { own, runner, standstill } = bench();
    own.phase = 'running';
    runner.status.lag = 50;
    runner.held = { paused: true };
    for (let now = 0; now <= 30_000; now += 1_000) assert.deepEqual(standstill.look(now), []);
    runner.held = { paused: false, reason: 'all handlers are busy' };
    const told: string[] = [];
    for (let now = 31_000; now <= 50_000; now += 1_000)
      for (const { why, reason } of standstill.look(now)) told.push(`${why}: ${reason}`);
    assert.deepEqual(told, ['handler: all handlers are busy']);
  });

  it('the reason of a standstill is an acquire of the program that does not return', () => {
    const { own, runner, standstill } = bench();
    own.phase = 'starting';
    runner.acquiring = true;
    const told: string[] = [];
    for (let now = 0; now <= 20_000; now += 1_000)
      for (const { why, reason } of standstill.look(now)) told.push(`${why}: ${reason}`);
    assert.deepEqual(told, ['handler: acquire has not returned yet']);
  });

  it('no standstill is reported for a partition that is idle, paused, halted or making progress', () => {
    const { own, runner, standstill } = bench();
    for (const phase of ['running', 'paused', 'halted'] as const) {
      own.phase = phase;
      for (let now = 0; now <= 30_000; now += 1_000) assert.deepEqual(standstill.look(now), []);
    }
    own.phase = 'running';
    runner.status.lag = 50;
    for (let now = 0; now <= 60_000; now += 5_000) {
      runner.status.position++;
      assert.deepEqual(standstill.look(now), []);
    }
  });

  it('a slow handler is reported as "handler", not as "stuck"', () => {
    const { runner, standstill } = bench();
    runner.status.lag = 5;
    runner.running = [{ sequence: 17, key: null }];
    standstill.look(0);
    assert.deepEqual(
      standstill.look(12_000).map(({ why, reason }) => [why, reason]),
      [['handler', 'the handler of message 17 runs']],
    );
  });

  it('a partition that cannot be read makes no progress, although no message is known to wait', () => {
    const { runner, failure, standstill } = bench();
    failure.text = 'the key function tenant threw';
    standstill.look(0);
    assert.deepEqual(standstill.look(10_000), [], 'the partition is read again');
    runner.status.state = 'waiting';
    standstill.look(10_000);
    assert.deepEqual(
      standstill.look(20_000).map(({ why, reason }) => [why, reason]),
      [['stuck', 'the key function tenant threw']],
    );
  });

  it("the reason of a member that cannot join is the bucket's refusal", () => {
    const { state, bucket, standstill } = bench();
    state.session.revision = 0;
    state.own.clear();
    bucket.refusal = 'bucket b refuses writes (maximum bytes exceeded)';
    standstill.look(0);
    const [told] = standstill.look(10_000);
    assert.equal(told?.partition, null);
    assert.match(
      told?.reason ?? '',
      /not in the group yet: bucket b refuses writes \(maximum bytes exceeded\)/,
    );
  });

  it('the reason of a standstill names the setting to raise if answers take longer than the grace', () => {
    const { state, bucket, standstill } = bench();
    state.permit = Number.NEGATIVE_INFINITY;
    bucket.answerMs = 800;
    standstill.look(0);
    const [told] = standstill.look(10_000);
    assert.match(told?.reason ?? '', /answers take 800 ms.*set --probe-interval .* to 1000 ms or more/);
  });
});

describe('a blocked event loop', () => {
  it('a blocked event loop is detected if a timer is late because of computation, not because the process was stopped', () => {
    let cpuMs = 0;
    const loop = new BlockedLoop(3_000, () => cpuMs);
    const last = { partition: 2, sequence: 9 };
    assert.equal(loop.look(1_001, 1_000, last), undefined);
    cpuMs += 5_000;
    assert.deepEqual(loop.look(7_000, 2_000, last), { partition: 2, sequence: 9, forMs: 5_000 });
    assert.equal(loop.look(20_000, 8_000, last), undefined);
  });
});
