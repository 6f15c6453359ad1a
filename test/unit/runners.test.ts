import assert from 'node:assert/strict';
import { Runners } from '../../src/core/member/engine/runners.js';
import type { Handler } from '../../src/core/member/partition/handler.js';
import type { Bucket, EventStream, ReaderSink } from '../../src/core/ports/index.js';
import { timingFor } from '../../src/core/protocol/timing.js';
import { fakeMessage, settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';
import { ORDER } from '../support/skip-order.js';

/** A member with messages in all partitions. Counts the writes to its bucket. */
async function busyMember(partitions: number, handler: Handler = () => {}) {
  const clock = new ManualClock();
  const sinks: ReaderSink[] = [];
  let writes = 0;
  let revision = 0;
  const bucket: Bucket = {
    read: async () => ({ kind: 'missing' }),
    write: async () => {
      writes++;
      return { kind: 'ok', revision: ++revision };
    },
    remove: async () => ({ kind: 'conflict' }),
    watch: () => ({ stop() {} }),
  };
  const idle = { start() {}, release() {}, starve() {}, resize() {}, close() {} };
  const stream: EventStream = {
    open: async (_options, sink) => {
      sinks.push(sink);
      return { kind: 'ok', reader: { ...idle, pending: 1, delivered: 0, rested: undefined } };
    },
    remove: async () => ({ kind: 'ok' }),
    inspect: async () => undefined,
    bounds: async () => ({ kind: 'ok', first: 1, last: 1_000, missing: 0, mostPerSubject: 0 }),
    storedAt: async () => undefined,
    newest: async () => undefined,
    sequenceAt: async () => ({ kind: 'unknown' }),
  };
  const runners = new Runners(
    {
      group: 'g',
      name: 'm',
      host: 'h',
      pid: 1,
      version: '0.0.0',
      partitions,
      timing: timingFor(10_000, 400),
      start: { seq: 0 },
      runner: {
        commit: { intervalMs: 200, every: 1_000 },
        failure: { maxAttempts: 1, backoff: { baseMs: 1, maxMs: 1 }, onExhausted: 'halt' },
        drainTimeoutMs: 1_000,
        handlerTimeoutMs: 15_000,
        maxCrashes: 3,
      },
      budget: { messages: 10_000, bytes: 1_000_000 },
      seed: 1,
    },
    { bucket, stream, clock, handler },
    () => ({ started() {}, handled() {}, attemptFailed() {}, failed() {}, halted() {}, terminal() {} }),
  );
  runners.rules.permit.extendTo(Number.POSITIVE_INFINITY);
  for (let partition = 0; partition < partitions; partition++) runners.start(partition, 1);
  await settle();
  let sequence = 0;
  /** For a second, all partitions handle a message every 50 ms. */
  const work = async (): Promise<number> => {
    const before = writes;
    for (let ms = 0; ms < 1_000; ms += 50) {
      sequence++;
      for (const sink of sinks) sink.message(fakeMessage(sequence));
      clock.advance(50);
      await settle();
    }
    return writes - before;
  };
  const drain = async (partition: number): Promise<void> => {
    const drained = runners.drain(partition, 1);
    for (let ms = 0; ms < 400; ms += 50) {
      await settle();
      clock.advance(50);
    }
    assert.equal(await drained, true);
  };
  const deliver = async (): Promise<number> => {
    sequence++;
    for (const sink of sinks) sink.message(fakeMessage(sequence));
    await settle();
    return sequence;
  };
  return { clock, work, runners, drain, deliver };
}

describe('the partitions of a member', () => {
  it('partitions are committed every interval while they are few', async () => {
    const { work } = await busyMember(2);
    assert.ok((await work()) >= 4);
  });

  it('partitions are committed less often when they are many, because the rate of all commits together has a limit', async () => {
    const { work } = await busyMember(500);
    await work();
    assert.ok((await work()) <= 1_050);
  });

  it('a request to skip a message is kept for its epoch, not for the next epoch', async () => {
    const { runners } = await busyMember(2);
    for (const partition of [0, 1]) runners.rules.giveUps.add(7 + partition, { ...ORDER, partition });
    const restart = async (partition: number, epoch: number): Promise<void> => {
      runners.remove(partition, 'it failed');
      await settle();
      runners.start(partition, epoch);
    };
    await restart(0, 1);
    assert.equal(runners.rules.giveUps.of(7)?.how, 'skip');
    await restart(0, 2);
    assert.deepEqual([runners.rules.giveUps.of(7), runners.rules.giveUps.of(8)?.how], [undefined, 'skip']);
  });

  it('partitions are closed without another takeover only if the drain has committed', async () => {
    const { runners, drain, deliver, work } = await busyMember(2);
    await work();
    const sequence = await deliver();
    await drain(0);
    assert.deepEqual(runners.committedInDrain(0, 1), { seq: sequence });
    assert.equal(runners.committedInDrain(0, 2), undefined, 'the drain of another epoch');
    await work();
    await work();
    runners.remove(1, 'it failed');
    await settle();
    assert.equal(runners.committedInDrain(1, 1), undefined, 'p1 was not drained');
    const idle = await busyMember(1);
    await idle.drain(0);
    assert.equal(
      idle.runners.committedInDrain(0, 1),
      undefined,
      'nothing to commit: a seek may have moved p0',
    );
  });

  it('the end of a member leaves no timer behind: not of a pause, and not of a handler that never settles', async () => {
    const { clock, runners, deliver } = await busyMember(2, () => new Promise(() => {}));
    await deliver();
    runners.rules.pauses.pause(null, 15_000);
    runners.lose(0, 'lost');
    await settle();
    runners.end();
    runners.rules.pauses.pause(1, 15_000);
    await settle();
    assert.equal(clock.timers, 0);
  });
});
