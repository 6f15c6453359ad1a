import assert from 'node:assert/strict';
import { NatspocError } from '../../src/core/lib/errors.js';
import { Alone } from '../../src/core/member/partition/alone.js';
import type { RunnerPorts, RunnerSettings } from '../../src/core/member/partition/contract.js';
import type { GroupStart } from '../../src/core/member/partition/group-start.js';
import { type Handler, StopConsuming } from '../../src/core/member/partition/handler.js';
import { SILENT } from '../../src/core/member/partition/logger.js';
import { Permit } from '../../src/core/member/partition/permit.js';
import { PartitionRunner } from '../../src/core/member/partition/runner.js';
import type { LossesLeft } from '../../src/core/member/partition/takeover.js';
import { TimeSlice } from '../../src/core/member/partition/time-slice.js';
import { FakeBucket, FakeStream, fakeMessage, settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

interface Wanted {
  handler?: Handler;
  settings?: Partial<RunnerSettings>;
  ports?: Partial<RunnerPorts>;
  groupStart?: GroupStart;
  /** What the previous runner had handled and committed under this epoch. */
  before?: { position: number; committed: number };
  losses?: LossesLeft;
}

/** A runner of partition 0 at epoch 7 with fake ports. Records its reports. */
function bench({
  handler = () => {},
  settings = {},
  ports = {},
  groupStart = { seq: 0 },
  before,
  losses,
}: Wanted = {}) {
  const clock = new ManualClock();
  const permit = new Permit(clock);
  permit.extendTo(1_000_000_000);
  const bucket = new FakeBucket();
  const stream = new FakeStream();
  const told: string[] = [];
  const runner = new PartitionRunner(
    {
      group: 'g',
      partition: 0,
      epoch: 7,
      start: groupStart,
      before: before && { status: before, ...(losses && { losses }) },
    },
    { messages: 100, bytes: 10_000 },
    {
      commit: { intervalMs: 200, every: 1_000 },
      failure: { maxAttempts: 1, backoff: { baseMs: 100, maxMs: 100 }, onExhausted: 'halt' },
      drainTimeoutMs: 1_000,
      maxCrashes: 3,
      ...settings,
    },
    {
      events: {
        started: () => told.push('started'),
        handled: ({ sequence }) => told.push(`handled ${sequence}`),
        committed: (sequence) => told.push(`committed ${sequence}`),
        failed: (message) => told.push(`failed: ${message}`),
        halted: (message) => told.push(`halted: ${message}`),
        stopped: (error) => told.push(`stopped: ${error.message}`),
        attemptFailed: ({ sequence }, attempt, _error, then) =>
          told.push(`attempt ${attempt} of ${sequence}: ${then}`),
        overdue: (sequences) => told.push(`overdue ${sequences}`),
        uncommitted: ({ after, upTo }) => told.push(`uncommitted ${after} to ${upTo}`),
        trimmed: ({ from: first, to, atMost }) => told.push(`trimmed ${first}-${to}, ${atMost}`),
        unread: (reason, retryMs) => told.push(`unread for ${retryMs}: ${reason}`),
        terminal: (error) => told.push(`terminal: ${error.message}`),
      },
      bucket,
      stream,
      clock,
      permit,
      slice: new TimeSlice(clock),
      alone: new Alone(),
      random: () => 0,
      handler,
      logger: SILENT,
      ...ports,
    },
  );
  return { clock, permit, bucket, stream, told, runner, start: () => runner.start(Promise.resolve()) };
}

describe('a partition runner', () => {
  it("a runner starts at the group's start, and writes the position before it reads", async () => {
    const { bucket, stream, start, told } = bench({ groupStart: { seq: 20 } });
    stream.range = { first: 21, last: 30 };
    await start();
    assert.deepEqual(bucket.record, { ...bucket.record, seq: 20, epoch: 7 });
    assert.equal(stream.opened[0]?.startSequence, 21);
    assert.equal(stream.opened[0]?.name, `natspoc-g-p0-e7-${bucket.record?.reader}`);
    assert.match(bucket.record?.reader ?? '', /^[0-9a-f]{24}$/);
    assert.deepEqual(told, ['started']);
  });

  it("a runner continues after the stored position, and deletes the previous owner's reader", async () => {
    const { bucket, stream, start } = bench({ groupStart: { seq: 30 } });
    bucket.put({ v: 1, seq: 5, epoch: 3, at: '', reader: 'f00d' });
    await start();
    assert.equal(stream.opened[0]?.startSequence, 6);
    assert.deepEqual(stream.removed, ['natspoc-g-p0-e3-f00d']);
    assert.deepEqual(bucket.record, { ...bucket.record, seq: 5, epoch: 7 });
  });

  for (const [what, value, cure] of [
    ['an invalid sequence', { v: 1, seq: -1, epoch: 3, at: '' }, /leases seek 0 --to/],
    ['an impossible sequence', { v: 1, seq: 1e300, epoch: 3, at: '' }, /leases seek 0 --to/],
    ['not a record', 'NaN', /leases seek 0 --to/],
    ['a newer format', { v: 99, seq: 5, epoch: 3, at: '' }, /newer version of natspoc: update this member/],
  ] as const) {
    it(`a runner halts, but its member continues, if its position is ${what}; the position stays unchanged`, async () => {
      const { bucket, start, told, stream } = bench();
      bucket.put(value);
      await start();
      assert.equal(told.length, 1);
      assert.match(told[0] ?? '', /^halted: its position /);
      assert.match(told[0] ?? '', cure);
      assert.deepEqual([bucket.revision, stream.opened], [1, []]);
    });
  }

  it('a runner does not start if a newer owner wrote the position', async () => {
    const { bucket, start, told, stream } = bench();
    bucket.put({ v: 1, seq: 5, epoch: 8, at: '' });
    await start();
    assert.deepEqual(told, ['failed: a newer owner wrote the position']);
    assert.deepEqual(stream.opened, []);
  });

  it('a runner does not read a stream that ends before its position', async () => {
    const { bucket, stream, start, told, clock } = bench();
    bucket.put({ v: 1, seq: 50, epoch: 3, at: '' });
    stream.range = { first: 1, last: 5 };
    const starting = start();
    for (let second = 0; second < 4; second++) {
      await settle();
      assert.deepEqual(told, []);
      clock.advance(1_000);
    }
    await starting;
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^failed: its position is 50, but the stream ends at 5: /);
    assert.deepEqual([stream.opened, bucket.record?.seq], [[], 50]);
  });

  it("a runner does not read a stream that ends before the group's start", async () => {
    const { stream, start, told, clock } = bench({ groupStart: { seq: 50 } });
    stream.range = { first: 1, last: 5 };
    const starting = start();
    for (let second = 0; second < 4; second++) {
      await settle();
      clock.advance(1_000);
    }
    await starting;
    assert.match(told.join(), /^failed: its position is 50, but the stream ends at 5: /);
  });

  it('a runner waits for a stream leader that is still catching up', async () => {
    const { bucket, stream, start, told, clock } = bench();
    bucket.put({ v: 1, seq: 50, epoch: 3, at: '' });
    stream.range = { first: 1, last: 49 };
    const starting = start();
    await settle();
    stream.range = { first: 1, last: 50 };
    clock.advance(1_000);
    await starting;
    assert.deepEqual(told, ['started']);
    assert.equal(stream.opened[0]?.startSequence, 51);
  });

  it('a runner does not continue in a stream that has lost received messages', async () => {
    const { stream, start, told } = bench();
    stream.range = { first: 1, last: 3 };
    await start();
    stream.deliver(fakeMessage(1), fakeMessage(2), fakeMessage(3));
    stream.range = { first: 1, last: 2 };
    stream.fault('broken');
    await settle();
    assert.match(told.at(-1) ?? '', /^failed: its position is 3, but the stream ends at 2: /);
    assert.equal(stream.opened.length, 1);
  });

  describe('a runner on a stream that has reused the sequence of its position', () => {
    const position = { v: 2, seq: 5, epoch: 3, at: '', created: 1_000, stored: 2_000 };

    it("a runner does not read a stream with reused sequences, whatever the stream's creation time is", async () => {
      const { bucket, stream, start, told } = bench();
      bucket.put(position);
      stream.range = { first: 1, last: 50, created: 1_000 };
      stream.stored.set(5, 3_000);
      await start();
      assert.match(told.join(), /^failed: its position is 5, but that sequence was used again: /);
      assert.deepEqual(stream.opened, []);
      // The position stays unchanged for the next owner.
      const { created, stored } = bucket.record ?? {};
      assert.deepEqual({ created, stored }, { created: 1_000, stored: 2_000 });
    });

    it('a runner does not read if the message of the position is gone and the stream was created again', async () => {
      const { bucket, stream, start, told } = bench();
      bucket.put(position);
      stream.range = { first: 1, last: 50, created: 5_000 };
      await start();
      assert.match(told.join(), /^failed: its position is 5, but that sequence was used again: /);
    });

    it('a runner reads a stream that was restored or trimmed, and records the change in its commits', async () => {
      for (const [created, stored] of [
        [9_000, 2_000],
        [1_000, undefined],
      ] as const) {
        const { bucket, stream, start, told } = bench();
        bucket.put(position);
        stream.range = { first: 1, last: 50, created };
        if (stored !== undefined) stream.stored.set(5, stored);
        await start();
        stream.deliver({ ...fakeMessage(6), timestampMs: 7_000.25 });
        await settle();
        assert.deepEqual(told.slice(0, 1), ['started']);
        assert.deepEqual(bucket.record, { ...bucket.record, seq: 6, created, stored: 7_000 });
      }
    });

    it("a runner does not start at the group's start if the stream has reused sequences", async () => {
      const { stream, start, told } = bench({ groupStart: { seq: 5, created: 1_000, stored: 2_000 } });
      stream.range = { first: 1, last: 50, created: 5_000 };
      await start();
      assert.match(told.join(), /^failed: its position is 5, but that sequence was used again: /);
    });

    it('a runner does not open another reader after the last received message if the stream has reused sequences', async () => {
      const { stream, start, told } = bench();
      stream.range = { first: 1, last: 3, created: 1_000 };
      await start();
      stream.deliver({ ...fakeMessage(1), timestampMs: 2_000 });
      stream.stored.set(1, 3_000);
      stream.fault('broken');
      await settle();
      assert.match(told.at(-1) ?? '', /^failed: its position is 1, but that sequence was used again: /);
      assert.equal(stream.opened.length, 1);
    });

    it('the periodic checks notice that the stream has reused sequences', async () => {
      const { stream, start, told, runner } = bench();
      stream.range = { first: 1, last: 3, created: 1_000 };
      await start();
      stream.deliver({ ...fakeMessage(1), timestampMs: 2_000 });
      stream.stored.set(1, 2_000);
      runner.look();
      await settle();
      assert.equal(told.filter((line) => line.startsWith('failed')).length, 0);
      stream.range = { first: 1, last: 3, created: 5_000 };
      stream.stored.delete(1);
      runner.look();
      await settle();
      assert.match(told.at(-1) ?? '', /^failed: its position is 1, but that sequence was used again: /);
    });
  });

  it('a runner gives its reader the current window, even if the window changed during the opening', async () => {
    const { stream, runner, start } = bench();
    let opened = (): void => {};
    stream.opening = new Promise((resolve) => {
      opened = resolve;
    });
    const starting = start();
    await settle();
    assert.equal(stream.opened.length, 1);
    runner.resize({ messages: 10, bytes: 1_000 });
    opened();
    await starting;
    assert.deepEqual(stream.window, { messages: 10, bytes: 1_000 });
  });

  it('a runner reports the number of messages that were dropped before the start', async () => {
    const { bucket, stream, start, told } = bench();
    bucket.put({ v: 1, seq: 5, epoch: 3, at: '' });
    stream.range = { first: 11, last: 30 };
    await start();
    assert.deepEqual(told, ['started', 'trimmed 6-10, 5']);
  });

  it('a runner reports once each message that is dropped while the runner lags', async () => {
    const { stream, start, told, clock } = bench();
    await start();
    stream.pending = 3;
    stream.deliver(fakeMessage(1));
    stream.range = { first: 9, last: 20 };
    clock.advance(30_000);
    await settle();
    clock.advance(30_000);
    await settle();
    assert.deepEqual(
      told.filter((line) => line.startsWith('trimmed')),
      ['trimmed 2-8, 3'],
    );
  });

  it('a runner commits nothing beyond a gap before it has investigated the gap, and then commits the loss with the position', async () => {
    const { bucket, stream, start, told, clock } = bench();
    await start();
    stream.range = { first: 9, last: 20 };
    stream.isSilent = true;
    stream.deliver(fakeMessage(20));
    await settle();
    clock.advance(5_000);
    await settle();
    assert.deepEqual(told, ['started', 'handled 20']);
    assert.deepEqual(bucket.writes, [0]);
    stream.isSilent = false;
    for (let second = 0; second < 2; second++) {
      clock.advance(1_000);
      await settle();
    }
    assert.deepEqual(told.slice(2), ['trimmed 1-8, 8', 'committed 20']);
    assert.deepEqual(bucket.writes, [0, 20]);
    assert.equal(bucket.record?.trimmed, 8);
  });

  it('a gap that the previous runner noticed is investigated before the messages of that runner are committed', async () => {
    const { bucket, stream, start, told, clock } = bench({
      before: { position: 20, committed: 10 },
      losses: {
        state: {
          settledTo: 10,
          jumps: [{ from: 10, to: 20, skipped: 9, isLong: true, isDoubtful: false }],
          fell: 0,
        },
        uncounted: 0,
      },
    });
    bucket.put({ v: 1, seq: 10, epoch: 7, at: '' });
    stream.range = { first: 15, last: 20 };
    await start();
    clock.advance(1_000);
    await settle();
    assert.deepEqual(told, ['trimmed 11-14, 4', 'started', 'committed 20']);
    assert.equal(bucket.record?.trimmed, 4);
  });

  it('a runner continues the count of losses that the previous runner found but did not commit', async () => {
    const { bucket, start, told, clock } = bench({
      before: { position: 10, committed: 10 },
      losses: { state: undefined, uncounted: 5 },
    });
    bucket.put({ v: 1, seq: 10, epoch: 7, at: '', trimmed: 2 });
    await start();
    clock.advance(1_000);
    await settle();
    assert.deepEqual(told, ['started', 'committed 10']);
    assert.equal(bucket.record?.trimmed, 7);
  });

  it('a runner reports messages that a full subject dropped while the runner read', async () => {
    const { stream, start, told, clock } = bench();
    stream.range = { first: 1, last: 100, missing: 90, mostPerSubject: 10 };
    stream.pending = 10;
    await start();
    stream.pending = 9;
    stream.deliver(fakeMessage(91));
    clock.advance(1_000);
    await settle();
    assert.deepEqual(
      told.filter((line) => line.startsWith('trimmed')),
      ['trimmed 1-91, 90'],
    );
  });

  it('no loss is reported for a jump if the stream has lost nothing, or the subject is not full', async () => {
    for (const range of [
      { first: 1, last: 100 },
      { first: 1, last: 100, missing: 50, mostPerSubject: 10 },
    ]) {
      const { stream, start, told, clock } = bench();
      stream.range = range;
      stream.pending = 3;
      await start();
      stream.pending = 2;
      stream.deliver(fakeMessage(91));
      clock.advance(1_000);
      await settle();
      assert.deepEqual(
        told.filter((line) => line.startsWith('trimmed')),
        [],
      );
    }
  });

  it('a loss is reported if fewer messages wait than before and the stream has lost some messages', async () => {
    const { stream, start, told, clock } = bench();
    stream.pending = 20;
    await start();
    stream.pending = 19;
    stream.deliver(fakeMessage(1));
    stream.pending = 5;
    stream.deliver(fakeMessage(15));
    stream.range = { first: 1, last: 30, missing: 13 };
    clock.advance(1_000);
    await settle();
    assert.deepEqual(
      told.filter((line) => line.startsWith('trimmed')),
      ['trimmed 1-30, 13'],
    );
  });

  it('no loss is reported for messages that were dropped before the group started', async () => {
    const { stream, start, told } = bench({ groupStart: { seq: 0, end: 40 } });
    stream.range = { first: 21, last: 60, missing: 10, mostPerSubject: 10 };
    await start();
    assert.deepEqual(told, ['started']);
  });

  it('no loss is reported for dropped messages that were handled', async () => {
    const { bucket, stream, start, told } = bench();
    bucket.put({ v: 1, seq: 10, epoch: 3, at: '' });
    stream.range = { first: 11, last: 30 };
    await start();
    assert.deepEqual(told, ['started']);
  });

  it('a runner handles messages, commits them, and releases window space', async () => {
    const { stream, start, told, bucket, clock } = bench();
    await start();
    stream.deliver(fakeMessage(3, null, 'abc'), fakeMessage(9, null, 'de'));
    await settle();
    clock.advance(200);
    await settle();
    assert.deepEqual(stream.released, 2);
    assert.equal(bucket.record?.seq, 9);
    assert.ok(told.includes('committed 9'));
  });

  it('a runner keeps its partition if a limit refuses its reader, retries with backoff, and reports once a minute', async () => {
    const { stream, start, told, clock, bucket, runner } = bench();
    for (let i = 0; i < 20; i++) stream.refusals.push('the limit of consumers is reached');
    const starting = start();
    let tries = 0;
    for (let second = 0; second < 60; second++) {
      await settle();
      if (second === 30) assert.equal(runner.status.state, 'waiting');
      clock.advance(1_000);
      tries = stream.opened.length;
    }
    assert.ok(tries > 10 && tries < 20, `${tries} tries in a minute`);
    assert.deepEqual(told, ['unread for 50: the limit of consumers is reached']);
    stream.refusals.length = 0;
    clock.advance(10_000);
    await starting;
    assert.deepEqual(told.slice(1), ['started']);
    assert.equal(bucket.writes.length, 1, 'the position was taken over once');
  });

  it('a runner opens another reader with backoff after readers that delivered nothing, and otherwise immediately', async () => {
    const { stream, start, told, clock } = bench();
    await start();
    stream.fault('broken');
    await settle();
    assert.equal(stream.opened.length, 2, 'after the first failure, another reader is opened at once');
    stream.fault('broken');
    await settle();
    assert.equal(stream.opened.length, 2);
    assert.equal(told.at(-1), 'unread for 50: it is broken');
    clock.advance(50);
    await settle();
    assert.equal(stream.opened.length, 3);
    stream.deliver(fakeMessage(1));
    stream.fault('broken');
    await settle();
    assert.equal(stream.opened.length, 4);
  });

  it('a runner requests more if handlers are idle because all messages wait for a running message', async () => {
    const { handler, end } = manual();
    const { stream, start } = bench({ handler, settings: { concurrency: 2 } });
    await start();
    stream.deliver(fakeMessage(1, 'a'), fakeMessage(2, 'b'));
    const before = stream.starved;
    await end();
    assert.equal(stream.starved, before + 1);
  });

  it('a runner replaces any failed reader by another reader after the last received message', async () => {
    const { handler, end } = manual();
    const { stream, start, told } = bench({ handler });
    await start();
    stream.deliver(fakeMessage(3, null, 'abc'), fakeMessage(4, null, 'd'));
    stream.fault('broken');
    await settle();
    assert.deepEqual(stream.removed, [stream.opened[0]?.name]);
    assert.equal(stream.opened[1]?.startSequence, 5);
    await end();
    await end();
    assert.equal(stream.held, 2, 'waiting messages count in the window of the new reader');
    stream.deliver(fakeMessage(6, null, 'ef'));
    await end();
    assert.equal(stream.released, 3);
    assert.deepEqual(
      told.filter((line) => line.startsWith('handled')),
      ['handled 3', 'handled 4', 'handled 6'],
    );
  });

  it('a runner takes the partition over again if its reader was deleted, instead of opening another reader', async () => {
    const { stream, start, told } = bench();
    await start();
    stream.fault('deleted');
    await settle();
    assert.equal(stream.opened.length, 1);
    assert.deepEqual(told, ['started', 'failed: its reader was deleted by another client']);
  });

  it('a runner ends the member if a reader can never be deleted', async () => {
    const error = new NatspocError('stream-missing', 'no such stream');
    const taking = bench();
    taking.bucket.put({ v: 1, seq: 10, epoch: 3, at: '', reader: 'f00d' });
    taking.stream.removal = { kind: 'failed', error };
    await taking.start();
    assert.deepEqual(taking.told, ['terminal: no such stream']);
    const reading = bench();
    await reading.start();
    reading.stream.removal = { kind: 'failed', error };
    reading.stream.fault('broken');
    await settle();
    assert.deepEqual(reading.told, ['started', 'terminal: no such stream']);
  });

  it('a runner reports when it has caught up', async () => {
    const { stream, start, runner } = bench();
    stream.pending = 2;
    await start();
    assert.equal(runner.status.caughtUp, false);
    stream.pending = 1;
    stream.deliver(fakeMessage(1));
    assert.deepEqual([runner.status.caughtUp, runner.status.lag], [false, 1]);
    stream.pending = 0;
    stream.deliver(fakeMessage(2));
    assert.equal(runner.status.caughtUp, true);
    stream.pending = 5;
    assert.equal(runner.status.caughtUp, true, 'once is enough');
  });

  it('a drain finishes the running message, drops the waiting messages, and commits', async () => {
    const { handler, end } = manual();
    const { stream, start, runner, bucket, told } = bench({ handler });
    await start();
    stream.deliver(fakeMessage(1), fakeMessage(2));
    const drained = runner.drain();
    stream.deliver(fakeMessage(3));
    await end();
    await drained;
    assert.equal(bucket.record?.seq, 1);
    assert.deepEqual(
      told.filter((line) => line.startsWith('handled')),
      ['handled 1'],
    );
    assert.equal(stream.closed, 1);
  });

  it('a drain does not commit messages of a changed shared reader', async () => {
    const { stream, start, runner, bucket, told } = bench();
    stream.shared = { confirm: async () => ({ doubt: 'its reader was changed' }), prepare() {} };
    await start();
    stream.deliver(fakeMessage(1), fakeMessage(3));
    await runner.drain();
    assert.equal(bucket.record?.seq, 0);
    assert.match(told.at(-1) ?? '', /^failed: /);
  });

  it('messages of a shared reader are committed only after the server has shown that the reader was not changed', async () => {
    const { stream, start, bucket, clock } = bench();
    let answer: 'unknown' | 'confirmed' = 'unknown';
    stream.shared = { confirm: async () => answer, prepare() {} };
    await start();
    stream.deliver(fakeMessage(1), fakeMessage(3));
    const passes = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        await settle();
        clock.advance(200);
      }
      await settle();
    };
    await passes();
    assert.equal(bucket.record?.seq, 0);
    answer = 'confirmed';
    await passes();
    assert.equal(bucket.record?.seq, 3);
  });

  it('a drain aborts the signal of a slow handler, reports the handler, and continues without it', async () => {
    let signal: AbortSignal | undefined;
    const { stream, start, runner, bucket, clock, told } = bench({
      handler: (_message, context) => {
        signal = context.signal;
        return new Promise<void>(() => {});
      },
    });
    await start();
    stream.deliver(fakeMessage(1));
    const drained = runner.drain();
    clock.advance(999);
    assert.equal(signal?.aborted, false);
    clock.advance(1);
    await settle();
    assert.equal(signal?.aborted, true);
    clock.advance(250);
    await drained;
    assert.equal(bucket.record?.seq, 0);
    assert.equal(told.at(-1), 'overdue 1');
  });

  it('a runner commits the messages that the previous runner handled, even if it drains before it has started', async () => {
    const { bucket, stream, runner, start, told } = bench({ before: { position: 9, committed: 5 } });
    bucket.put({ v: 1, seq: 5, epoch: 7, at: '' });
    let proceed = (): void => {};
    bucket.hold = new Promise((resolve) => {
      proceed = resolve;
    });
    const starting = start();
    await settle();
    const draining = runner.drain();
    proceed();
    await Promise.all([starting, draining]);
    assert.equal(bucket.record?.seq, 9);
    assert.deepEqual(told, ['committed 9']);
    assert.equal(stream.opened.length, 0);
  });

  it('a runner commits the messages that the previous runner handled, even if the old reader cannot be deleted in time', async () => {
    const { bucket, stream, runner, start, told } = bench({ before: { position: 9, committed: 5 } });
    bucket.put({ v: 1, seq: 5, epoch: 7, at: '', reader: 'f00d' });
    stream.remove = () => new Promise(() => {});
    void start();
    await settle();
    await runner.drain();
    assert.equal(bucket.record?.seq, 9);
    assert.deepEqual(told, ['committed 9']);
  });

  it('a drain does not wait for the position if the runner has nothing to commit', async () => {
    const { bucket, runner, start } = bench({ before: { position: 5, committed: 5 } });
    bucket.put({ v: 1, seq: 5, epoch: 7, at: '' });
    bucket.hold = new Promise(() => {});
    void start();
    await settle();
    await runner.drain();
  });

  it('a drain ends in time even if the bucket does not answer, and reports which messages are handled again', async () => {
    const { bucket, clock, runner, start, told } = bench({ before: { position: 9, committed: 5 } });
    bucket.put({ v: 1, seq: 5, epoch: 7, at: '' });
    bucket.hold = new Promise(() => {});
    void start();
    await settle();
    const draining = runner.drain();
    await settle();
    clock.advance(15_000);
    await draining;
    assert.deepEqual(told, ['uncommitted 5 to 9']);
  });

  it('a drain commits the messages that the previous runner handled, even if the position cannot be read at first', async () => {
    const { bucket, clock, runner, start, told } = bench({ before: { position: 9, committed: 5 } });
    bucket.put({ v: 1, seq: 5, epoch: 7, at: '' });
    bucket.reads.push({ kind: 'unknown' });
    const draining = (async () => {
      void start();
      await runner.drain();
    })();
    await settle();
    clock.advance(250);
    await draining;
    assert.equal(bucket.record?.seq, 9);
    assert.deepEqual(told, ['committed 9']);
  });

  it('a halt commits the messages before the failed message, and not the failed message', async () => {
    const { stream, start, bucket, told } = bench({
      handler: ({ sequence }) => {
        if (sequence === 3) throw new Error('bad');
      },
    });
    await start();
    stream.pending = 1;
    stream.deliver(fakeMessage(1), fakeMessage(2), fakeMessage(3), fakeMessage(4));
    await settle();
    assert.equal(bucket.record?.seq, 2);
    assert.equal(told.at(-1), 'halted: message 3 failed: bad');
  });

  it('a runner stops the member if the handler cannot handle any message', async () => {
    const { stream, start, bucket, told } = bench({
      handler: () => {
        throw new StopConsuming('no database');
      },
    });
    await start();
    stream.deliver(fakeMessage(1));
    await settle();
    assert.equal(bucket.record?.seq, 0);
    assert.deepEqual(told.slice(-2), ['halted: no database', 'stopped: no database']);
  });

  it('a runner stops the member if the effects of handled messages can never become safe', async () => {
    const barrier = () => Promise.reject(new Error('disk full'));
    const { stream, start, bucket, told } = bench({ ports: { barrier } });
    await start();
    stream.deliver(fakeMessage(1));
    await settle();
    assert.equal(bucket.record?.seq, 0);
    assert.equal(told.at(-1), 'stopped: the barrier before a commit was rejected: Error: disk full');
  });

  it("an abort aborts the handler's signal, and nothing is committed after that", async () => {
    const { handler, end } = manual();
    const { stream, start, runner, bucket, told } = bench({ handler });
    await start();
    stream.deliver(fakeMessage(1));
    const aborted = runner.abort('lost');
    await end();
    await aborted;
    assert.equal(bucket.record?.seq, 0);
    assert.deepEqual(told, ['started']);
  });

  it('a runner reports no late commit after an abort', async () => {
    const { stream, start, runner, bucket, told } = bench();
    await start();
    let write = (): void => {};
    bucket.hold = new Promise((resolve) => {
      write = resolve;
    });
    stream.deliver(fakeMessage(1));
    await settle();
    await runner.abort('lost');
    write();
    await settle();
    assert.equal(bucket.record?.seq, 1);
    assert.deepEqual(told, ['started', 'handled 1']);
  });

  it('a runner reports no start after an abort during the start', async () => {
    const { stream, start, runner, told } = bench();
    const open = stream.open.bind(stream);
    stream.open = async (...args) => {
      const opened = await open(...args);
      if (opened.kind !== 'ok') return opened;
      return { ...opened, reader: { ...opened.reader, start: () => void runner.abort('lost') } };
    };
    await start();
    assert.deepEqual(told, []);
  });

  it('a runner writes nothing if it is aborted while it reads its position', async () => {
    const { bucket, runner, start } = bench({ before: { position: 5, committed: 5 } });
    bucket.read = async () => {
      void runner.abort('went-back');
      return { kind: 'missing' };
    };
    await start();
    assert.deepEqual(bucket.writes, []);
  });

  it('a runner leaves the state of its predecessor to the next runner if it is aborted before it has taken over', async () => {
    const losses = {
      state: {
        settledTo: 5,
        jumps: [{ from: 5, to: 9, skipped: 3, isLong: true, isDoubtful: false }],
        fell: 0,
      },
      uncounted: 2,
    };
    const { bucket, runner, start } = bench({ before: { position: 9, committed: 5 }, losses });
    bucket.read = async () => ({ kind: 'unknown' });
    await start();
    await runner.abort('its position could not be read in time');
    assert.deepEqual(runner.losses, losses);
  });

  it('a runner restores a removed position only while the member is in contact', async () => {
    const { bucket, runner, start, told, permit } = bench({ before: { position: 5, committed: 5 } });
    const lease = { kind: 'found', entry: { key: 'lease', revision: 7, value: null } } as const;
    bucket.reads.push({ kind: 'missing' }, lease);
    permit.extendTo(Number.NEGATIVE_INFINITY);
    await start();
    assert.deepEqual([bucket.writes, told], [[], ['failed: the member could not renew in time']]);
    assert.equal(runner.status.committed, 5);
    const later = bench({ before: { position: 5, committed: 5 } });
    later.bucket.reads.push({ kind: 'missing' }, lease);
    await later.start();
    assert.deepEqual(later.bucket.writes, [5]);
  });

  it('a runner continues at its own position if another member has restored an older position', async () => {
    const { bucket, start, stream } = bench({ before: { position: 5, committed: 5 } });
    const lease = { kind: 'found', entry: { key: 'lease', revision: 7, value: null } } as const;
    bucket.put({ v: 1, seq: 3, epoch: 0, at: '' });
    const value = bucket.value;
    bucket.reads.push({ kind: 'found', entry: { key: 'position', revision: 1, value } }, lease);
    await start();
    assert.deepEqual(bucket.writes, [5]);
    assert.equal(stream.opened[0]?.startSequence, 6);
  });

  it('a runner ends when a newer owner has committed', async () => {
    const { stream, start, bucket, told } = bench();
    await start();
    bucket.put({ v: 1, seq: 0, epoch: 8, at: '' });
    stream.deliver(fakeMessage(1));
    await settle();
    assert.equal(told.at(-1), 'failed: a newer owner has taken over');
  });
});

/** A handler whose calls run until a test ends them. */
function manual() {
  const calls: (() => void)[] = [];
  const handler: Handler = () => new Promise<void>((resolve) => calls.push(resolve));
  const end = async () => {
    calls.shift()?.();
    await settle();
  };
  return { handler, end };
}
