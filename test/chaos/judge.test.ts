import assert from 'node:assert/strict';
import { keys } from '../../src/core/protocol/keys.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import { encodeRecord } from '../../src/core/protocol/records.js';
import { charges } from './charges.js';
import { handledCall } from './handled-call.js';
import { judgeHistory } from './judging/judge.js';
import {
  type BucketChange,
  type Call,
  ERA,
  type FaultSpan,
  grants,
  type History,
  type Life,
} from './recording/history.js';

const GROUP = 'default';
const PARTITIONS = 2;
const MESSAGES = 40;
/** m1 is killed after it has handled the first messages of each partition. Then m2 takes both partitions over. */
const KILLED_AT = 2_050;
const TAKEN_AT = 3_000;
const CALM_AT = 60_000;

const text = (...args: Parameters<typeof encodeRecord>): string =>
  Buffer.from(encodeRecord(...args)).toString();
const seqOf = (partition: number, index: number): number => 1 + index * PARTITIONS + partition;
const epochOf = (partition: number, owner: string): number => (owner === 'm1' ? 10 : 20) + partition;

function call(
  partition: number,
  index: number,
  process: string,
  from: number,
  more: Partial<Call> = {},
): Call {
  const epoch = epochOf(partition, process);
  const seq = seqOf(partition, index);
  return { ...handledCall({ process, partition, epoch, seq, key: `k${partition}`, from }), ...more };
}

const life = (name: string, more: Partial<Life>): Life => ({
  name,
  from: 0,
  killedAt: undefined,
  leftAt: CALM_AT,
  exit: { at: CALM_AT + 100, code: 0, signal: null, lastWords: '' },
  stalls: [],
  ...more,
});

function session(name: string, at: number, revision: number): BucketChange {
  const record = {
    v: RECORD_VERSION,
    id: name,
    name,
    host: 'h',
    pid: 1,
    version: '1',
    startedAt: '',
    ttlMs: 4e3,
    suspectMs: 800,
  };
  return { at, revision, key: keys.session(GROUP, name), value: text(record) };
}

function lease(partition: number, owner: string, at: number): BucketChange {
  const record = { v: RECORD_VERSION, owner, name: owner, reason: 'claim', from: null, at: '' } as const;
  return { at, revision: epochOf(partition, owner), key: keys.lease(GROUP, partition), value: text(record) };
}

function position(
  partition: number,
  index: number,
  owner: string,
  at: number,
  revision: number,
): BucketChange {
  const record = {
    v: RECORD_VERSION,
    seq: seqOf(partition, index),
    epoch: epochOf(partition, owner),
    at: '',
  };
  return { at, revision, key: keys.position(GROUP, partition), value: text(record) };
}

/**
 * A correct run: m1 handles the first half of each partition's messages. It is killed before it has committed the last two of them. m2
 * takes over, repeats these two, and handles the rest.
 */
function clean(): History {
  const calls: Call[] = [];
  const bucket: BucketChange[] = [session('m1', 1, 1), session('m2', 2, 2)];
  for (let p = 0; p < PARTITIONS; p++) {
    bucket.push(lease(p, 'm1', 5), lease(p, 'm2', TAKEN_AT));
    for (let i = 0; i < 20; i++) calls.push(call(p, i, 'm1', 1_000 + i * 50));
    for (let i = 18; i < MESSAGES; i++) calls.push(call(p, i, 'm2', TAKEN_AT + 50 + i * 50));
    bucket.push(position(p, 9, 'm1', 1_600, 12 + p), position(p, 17, 'm1', 1_990, 14 + p));
    bucket.push(position(p, 17, 'm2', TAKEN_AT + 5, 30 + p), position(p, 39, 'm2', 5_200, 40 + p));
  }
  bucket.push({ at: TAKEN_AT - 10, revision: 18, key: keys.session(GROUP, 'm1'), value: null });
  const kill: FaultSpan = {
    ...{ id: 1, kind: 'kill', target: 'm1', from: KILLED_AT, to: KILLED_AT + 2, outcome: 'killed' },
  };
  return {
    settings: {
      ...{ startedAt: '2026-11-24T00:00:00Z', startUs: 0, seed: 1, minutes: 1, rate: 40, group: GROUP },
      ...{ partitions: PARTITIONS, servers: 1, serverVersion: '2.9.10' },
      ...{ ttlMs: 4_000, drainTimeoutMs: 1_500, commitIntervalMs: 200 },
    },
    confirmed: Array.from({ length: MESSAGES * PARTITIONS }, (_, i) => {
      const partition = i % PARTITIONS;
      return { number: i + 1, key: `k${partition}`, partition, seq: i + 1 };
    }),
    calls: calls.sort((a, b) => a.from - b.from),
    lives: [
      life('m1', {
        killedAt: KILLED_AT,
        leftAt: undefined,
        exit: { at: KILLED_AT + 2, code: null, signal: 'SIGKILL', lastWords: '' },
      }),
      life('m2', {}),
    ],
    faults: [kill],
    bucket: bucket.sort((a, b) => a.at - b.at),
    calmAt: CALM_AT,
    eras: [],
    looks: [],
    dropped: [],
    toldLost: new Map(),
  };
}

function find(history: History, partition: number, index: number, process: string): Call {
  const seq = seqOf(partition, index);
  const found = history.calls.find((each) => each.seq === seq && each.process === process);
  assert.ok(found);
  return found;
}

const without = (history: History, gone: Call): void => {
  history.calls = history.calls.filter((each) => each !== gone);
};

describe('the judge of a chaos run', () => {
  it('the chaos judge finds nothing wrong with a clean run, and explains repeated messages by a kill', () => {
    const verdict = judgeHistory(clean());
    assert.deepEqual(verdict.violations, []);
    assert.equal(verdict.ok, true);
    assert.equal(verdict.handled, MESSAGES * PARTITIONS);
    assert.equal(verdict.repeats.kill?.messages, 4);
    assert.equal(verdict.restMs.kill?.max, TAKEN_AT - KILLED_AT);
  });

  it('the chaos judge flags a lost message', () => {
    const history = clean();
    without(history, find(history, 1, 39, 'm2'));
    history.bucket = history.bucket.filter(({ value }) => !value?.includes(`"seq":${seqOf(1, 39)},`));
    assert.deepEqual(charges(history), ['lost']);
  });

  it('the chaos judge flags a message that is skipped, and a position that passes it', () => {
    const history = clean();
    without(history, find(history, 1, 30, 'm2'));
    assert.deepEqual(charges(history), ['lost', 'disorder', 'position']);
  });

  it('the chaos judge flags dropped messages only if members reported too few of them', () => {
    const history = clean();
    const [first, last] = [10, 35];
    for (let index = first; index <= last; index++) {
      history.calls = history.calls.filter(({ seq }) => seq !== seqOf(1, index));
    }
    history.dropped.push({ from: 100, at: 100, first: seqOf(1, last) + 1 });
    assert.deepEqual(charges(history), ['silent-loss']);
    // The losses of one second can stay unreported: here, 20 of the 26 lost messages.
    history.toldLost = new Map([[1, 6]]);
    assert.deepEqual(charges(history), []);
    // Losses while the limit was small can stay unreported, too. With `from: -175`, the limit is small for longer. Then 25.5 losses can
    // stay unreported.
    history.toldLost = new Map([[1, 1]]);
    assert.deepEqual(charges(history), ['silent-loss']);
    Object.assign(history.dropped[0] ?? {}, { from: -175 });
    assert.deepEqual(charges(history), []);
    Object.assign(history.dropped[0] ?? {}, { from: 100 });
    // The reports below are for partition 0, but partition 1 lost the messages. In a keyed group they count, because a reader of all
    // partitions does not know the partition of dropped messages.
    history.toldLost = new Map([[0, 6]]);
    assert.deepEqual(charges(history), ['silent-loss']);
    history.settings.keyed = true;
    assert.deepEqual(charges(history), []);
    history.toldLost = new Map([[0, 5]]);
    assert.deepEqual(charges(history), ['silent-loss']);
  });

  it('the chaos judge excuses repeated messages if the bucket returned to an older state, and otherwise flags them', () => {
    const history = clean();
    const again = { ...find(history, 1, 39, 'm2'), from: 10_000, to: 10_005, epoch: 60 };
    history.calls.push(again);
    assert.deepEqual(charges(history), ['repeat']);
    history.eras.push(9_000);
    history.calls = history.calls.map((each) => (each.from >= 9_000 ? { ...each, epoch: ERA + 21 } : each));
    assert.deepEqual(charges(history), []);
  });

  it('the chaos judge treats the leases in a restored copy of the bucket as granted again', () => {
    const change = (at: number, revision: number) => ({ at, revision, key: 'group.g.lease.2', value: '{}' });
    const changes = [change(1_000, 20), change(2_500, 31), change(6_000, 33)];
    const granted = grants(changes, [{ back: 5_000, from: 2_000 }]);
    const call = (epoch: number, from: number) => ({ partition: 2, epoch, from });
    assert.equal(granted(call(20, 5_500)), 5_000);
    assert.equal(granted(call(20, 4_000)), 1_000);
    // The restored copy does not contain lease 31, and its owner has not noticed this yet.
    assert.equal(granted(call(31, 5_500)), 2_500);
    assert.equal(granted(call(33, 6_500)), 6_000);
  });

  it('the chaos judge flags two messages that are handled in the wrong order', () => {
    const history = clean();
    const [a, b] = [find(history, 0, 25, 'm2'), find(history, 0, 26, 'm2')];
    [a.from, b.from, a.to, b.to] = [b.from, a.from, b.to, a.to];
    assert.deepEqual(charges(history), ['disorder']);
  });

  it('the chaos judge flags messages of a key that are not stored in the order in which they were sent', () => {
    const history = clean();
    const [a, b] = [history.confirmed[50], history.confirmed[52]];
    assert.ok(a && b);
    for (const each of [a, b]) {
      each.number = each === a ? 53 : 51;
      find(history, each.partition, (each.seq - 1) >> 1, 'm2').number = each.number;
    }
    assert.deepEqual(charges(history), ['disorder']);
  });

  it('the chaos judge flags overlapping calls of two owners, and excuses an owner that was stopped or whose handler ignored its signal', () => {
    const history = clean();
    const last = find(history, 0, 19, 'm1');
    Object.assign(last, { to: TAKEN_AT + 5_000 });
    history.lives[0] = life('m1', {});
    history.faults = [];
    assert.ok(charges(history).includes('overlap'));

    last.deaf = true;
    last.toldAt = 2_800;
    assert.ok(!charges(history).includes('overlap'));
    last.toldAt = TAKEN_AT + 1_500;
    assert.ok(charges(history).includes('overlap'), 'the signal aborted too late');

    Object.assign(last, { deaf: false, toldAt: undefined });
    const stop: FaultSpan = {
      ...{ id: 2, kind: 'long-stop', target: 'm1', from: 1_952, to: TAKEN_AT + 4_990, outcome: '' },
    };
    history.faults = [stop];
    assert.ok(!charges(history).includes('overlap'));
    stop.to -= 1_000;
    assert.ok(charges(history).includes('overlap'), 'the call ran long after its process continued');
  });

  it('the chaos judge flags a member that runs two handlers of a partition at the same time', () => {
    const history = clean();
    find(history, 0, 25, 'm2').to += 70;
    assert.ok(charges(history).includes('overlap'));
  });

  it('the chaos judge flags a handler that starts under an epoch that has ended', () => {
    const history = clean();
    history.lives[0] = life('m1', {});
    history.calls.push(call(0, 19, 'm1', TAKEN_AT + 1_120));
    assert.ok(charges(history).includes('late-start'));
  });

  it('the chaos judge excuses a call that began before its process was stopped, and flags the next call of the process', () => {
    const history = clean();
    const stop: FaultSpan = { id: 2, kind: 'long-stop', target: 'm1', from: 2_050, to: 6_500, outcome: '' };
    history.faults = [stop];
    history.lives[0] = life('m1', {});
    history.calls.push(call(0, 20, 'm1', 6_600, { how: 'stopped' }));
    const found = charges(history);
    assert.ok(!found.includes('late-start') && !found.includes('overlap') && !found.includes('repeat'));
    history.calls.push(call(0, 21, 'm1', 6_620, { how: 'stopped' }));
    assert.ok(charges(history).includes('late-start'));
    // The permit is checked once for a batch.
    const [first, second] = history.calls.slice(-2);
    if (first && second) second.batch = first.batch;
    const batched = charges(history);
    assert.ok(!batched.includes('late-start') && !batched.includes('overlap') && !batched.includes('repeat'));

    const untouched = clean();
    untouched.faults = [stop];
    untouched.lives[0] = life('m1', {});
    untouched.calls = untouched.calls.filter(({ partition, process }) => partition !== 0 || process !== 'm1');
    untouched.calls.push(call(0, 20, 'm1', 6_600, { how: 'stopped' }));
    assert.ok(!charges(untouched).includes('late-start'), 'the first message of a partition');
    untouched.bucket = untouched.bucket.filter(({ revision }) => revision !== untouched.calls.at(-1)?.epoch);
    assert.ok(charges(untouched).includes('late-start'), 'the partition was not its own before the stop');

    const rejoined = clean();
    rejoined.faults = [stop];
    rejoined.lives[0] = life('m1', {});
    rejoined.calls = rejoined.calls.filter(({ seq, process }) => seq !== seqOf(0, 39) || process !== 'm2');
    rejoined.calls.push(call(0, 39, 'm1', 6_600, { epoch: 90 }));
    rejoined.bucket = rejoined.bucket.filter(({ value }) => !value?.includes(`"seq":${seqOf(0, 39)},`));
    const { charges: counts } = judgeHistory(rejoined);
    assert.equal(
      counts.disorder + counts['late-start'] + counts.overlap,
      0,
      'a new epoch began after the stop',
    );
  });

  it('the chaos judge flags a repeated message that no fault explains', () => {
    const again = clean();
    again.calls.push(call(0, 30, 'm2', TAKEN_AT + 1_560));
    assert.deepEqual(charges(again), ['repeat'], 'twice in a row under one epoch');

    const unexplained = clean();
    unexplained.faults = [];
    unexplained.lives[0] = life('m1', { leftAt: KILLED_AT });
    assert.deepEqual(charges(unexplained), ['repeat'], 'a graceful leave explains nothing');

    const restarted = clean();
    restarted.faults = restarted.faults.map((fault) => ({ ...fault, kind: 'restart' }));
    restarted.lives[0] = life('m1', { leftAt: KILLED_AT });
    assert.deepEqual(charges(restarted), ['repeat'], 'a restart drains and commits, so it explains nothing');

    const tooFar = clean();
    tooFar.calls.push(call(1, 5, 'm2', TAKEN_AT + 60));
    assert.ok(charges(tooFar).includes('repeat'), 'the message was committed long before the kill');
  });

  it('the chaos judge uses the time in the record of a lease, because the harness may see the lease late', () => {
    const lateMs = 4_000;
    const [wroteAt, startedAt] = [KILLED_AT + 1_000, Date.parse(clean().settings.startedAt)];
    const seenLate = (record: string): History => {
      const history = clean();
      history.lives[0] = life('m1', {});
      const down = { id: 1, kind: 'server-kill', target: 's1', outcome: '' } as const;
      history.faults = [{ ...down, from: KILLED_AT - 20, to: KILLED_AT }];
      for (const each of history.calls) {
        if (each.process === 'm2') Object.assign(each, { from: each.from + lateMs, to: each.to + lateMs });
      }
      for (const change of history.bucket) {
        if (!change.value?.includes('"owner":"m2"')) continue;
        change.at += lateMs;
        change.value = change.value.replace('"at":""', `"at":"${record}"`);
      }
      return history;
    };
    const repeated = (record: string): boolean => charges(seenLate(record)).includes('repeat');
    assert.equal(repeated(new Date(startedAt + wroteAt).toISOString()), false);
    assert.equal(repeated(''), true, 'nothing hindered the commit until the harness saw the lease');
  });

  it('the chaos judge allows an owner more time to commit after a long server fault, but only as much as a new takeover needs', () => {
    /**
     * The server refuses all clients for `forMs`. The bucket accepts writes after another `electedAfterMs`. The next owner claims
     * `claimedAfterMs` after the fault.
     */
    const isCharged = (forMs: number, claimedAfterMs: number, electedAfterMs = 1): boolean => {
      const history = clean();
      history.lives[0] = life('m1', {});
      const [from, to] = [1_900, 1_900 + forMs];
      history.faults = [{ id: 1, kind: 'refused', target: 'the server', outcome: '', from, to }];
      // The bucket accepts writes again.
      const writable = to + electedAfterMs;
      history.bucket.push(session('other', writable, 25));
      const laterMs = to + claimedAfterMs - TAKEN_AT;
      for (const each of history.calls) {
        if (each.process === 'm2') Object.assign(each, { from: each.from + laterMs, to: each.to + laterMs });
      }
      for (const change of history.bucket) if (change.value?.includes('"owner":"m2"')) change.at += laterMs;
      return charges(history).includes('repeat');
    };
    // A recovery takes two requests of at most a fifth of the ttl each. A commit also waits for the commit interval. Both times include
    // slack.
    const [recoveryMs, commitMs] = [1_900, 500];
    assert.equal(isCharged(3_500, recoveryMs + commitMs - 50), false);
    assert.equal(isCharged(3_500, recoveryMs + commitMs + 100), true, 'the owner was not aborted');
    assert.equal(isCharged(3_700, recoveryMs + 1_000 + commitMs - 50), false);
    assert.equal(isCharged(3_700, recoveryMs + 1_000 + commitMs + 100), true, 'the owner had time to commit');
    // After the fault, the election of the bucket's leader takes 5 s.
    assert.equal(isCharged(3_500, recoveryMs + 1_000 + commitMs + 4_900, 5_000), false);
    assert.equal(
      isCharged(3_500, recoveryMs + 1_000 + commitMs + 5_100, 5_000),
      true,
      'the bucket had a leader',
    );
  });

  it('the chaos judge expects no commit after an owner has found its session missing and joined under another session', () => {
    /** The owner joins under another session at `joinedAt`. m2 claims the partitions 20 s later than in the clean run. */
    const isCharged = (
      joinedAt: number | undefined,
      kind: 'entries-removed' | 'slow' = 'entries-removed',
    ): boolean => {
      const history = clean();
      history.lives[0] = life('m1', {});
      const [from, to] = [KILLED_AT - 200, KILLED_AT - 190];
      history.faults = [{ id: 1, outcome: '', kind, target: 'group.default.session.>', from, to }];
      if (joinedAt !== undefined) {
        const again = session('again', joinedAt, 40);
        again.value = again.value?.replace('{', '{"gaveUp":"m1",') ?? null;
        history.bucket.push(again);
      }
      const laterMs = 20_000;
      for (const each of history.calls) {
        if (each.process === 'm2') Object.assign(each, { from: each.from + laterMs, to: each.to + laterMs });
      }
      for (const change of history.bucket) if (change.value?.includes('"owner":"m2"')) change.at += laterMs;
      return charges(history).includes('repeat');
    };
    assert.equal(isCharged(KILLED_AT + 500), false);
    assert.equal(isCharged(undefined), true, 'the owner could have committed until the next lease');
    assert.equal(isCharged(KILLED_AT + 500, 'slow'), true, 'nothing explains the missing session');
  });

  it('the chaos judge expects no commit from an owner that was fenced while its process was stopped', () => {
    /** m1 is fenced at TAKEN_AT - 10. m2 claims the partitions 20 s later than in the clean run. */
    const isCharged = (from: number, to: number): boolean => {
      const history = clean();
      history.lives[0] = life('m1', {});
      history.faults = [{ id: 1, outcome: '', kind: 'long-stop', target: 'm1', from, to }];
      const laterMs = 20_000;
      for (const each of history.calls) {
        if (each.process === 'm2') Object.assign(each, { from: each.from + laterMs, to: each.to + laterMs });
      }
      for (const change of history.bucket) if (change.value?.includes('"owner":"m2"')) change.at += laterMs;
      return charges(history).includes('repeat');
    };
    assert.equal(isCharged(KILLED_AT, KILLED_AT + 6_000), false);
    assert.equal(
      isCharged(TAKEN_AT, TAKEN_AT + 6_000),
      true,
      'the process was stopped only after it was fenced',
    );
    assert.equal(isCharged(KILLED_AT - 6_000, KILLED_AT), true, 'the process ran when it was fenced');
  });

  it('the chaos judge flags a position whose sequence or epoch decreases', () => {
    const history = clean();
    history.bucket.push(position(0, 20, 'm2', 5_300, 50));
    assert.deepEqual(charges(history), ['position']);
    const stale = clean();
    stale.bucket.push(position(0, 39, 'm1', 5_300, 50));
    assert.ok(charges(stale).includes('position'));
  });

  it('the chaos judge flags a position that is ahead of the handled messages', () => {
    const history = clean();
    history.bucket.push(position(0, 35, 'm2', 4_000, 33));
    assert.deepEqual(charges(history), ['position']);
  });

  it('the chaos judge flags a handled message with a wrong checksum, or with the content of another message', () => {
    const history = clean();
    find(history, 0, 7, 'm1').intact = false;
    assert.deepEqual(charges(history), ['damaged']);
    const other = clean();
    find(other, 0, 7, 'm1').key = 'k9';
    assert.deepEqual(charges(other), ['damaged']);
  });

  it('the chaos judge flags a message that the stream has stored twice', () => {
    const history = clean();
    const last = history.confirmed.at(-1);
    assert.ok(last);
    const seq = last.seq + PARTITIONS;
    history.confirmed.push({ ...last, seq });
    history.calls.push({ ...find(history, last.partition, 39, 'm2'), seq, from: 5_100, to: 5_105 });
    assert.deepEqual(charges(history), ['stored-twice']);
  });

  it('the chaos judge flags a group that never comes to rest', () => {
    const history = clean();
    history.bucket = history.bucket.filter(({ key, at }) => key !== keys.lease(GROUP, 1) || at < TAKEN_AT);
    assert.deepEqual(charges(history), ['unrest']);
  });

  it('the chaos judge flags a message that is handled while its partition is paused', () => {
    const history = clean();
    const pause: FaultSpan = { id: 2, kind: 'pause', target: '1', from: 4_000, to: 5_000, outcome: 'done' };
    history.faults.push({ ...pause, rested: { from: 4_200, to: 4_900 } });
    assert.deepEqual(charges(history), ['paused']);
  });

  it('the chaos judge flags a process that ends unexpectedly, and a leaving process that ends with an error', () => {
    for (const [leftAt, code] of [
      [undefined, 0],
      [CALM_AT, 1],
    ]) {
      const history = clean();
      history.lives[1] = life('m2', {
        leftAt,
        exit: { at: CALM_AT + 100, code: code ?? 0, signal: null, lastWords: 'Error' },
      });
      assert.deepEqual(charges(history), ['process']);
    }
  });
});
