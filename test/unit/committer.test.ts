import assert from 'node:assert/strict';
import { NatspocError } from '../../src/core/lib/errors.js';
import { Committer, type CommitterPorts } from '../../src/core/member/partition/committer.js';
import { Permit } from '../../src/core/member/partition/permit.js';
import { FakeBucket, fakeMessage, settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

/** A committer at position 10 of epoch 7, and what it reports. */
function bench(ports: Partial<CommitterPorts> = {}) {
  const clock = new ManualClock();
  const permit = new Permit(clock);
  permit.extendTo(1_000_000);
  const bucket = new FakeBucket();
  bucket.put({ v: 1, seq: 10, epoch: 7, at: '' });
  const told: string[] = [];
  const committer = new Committer(
    {
      group: 'g',
      partition: 0,
      epoch: 7,
      revision: bucket.revision,
      sequence: 10,
      tags: { v: 2 },
      reader: 'f00d',
      lead: 8,
      mark: { sequence: 10 },
    },
    { intervalMs: 200, every: 1_000 },
    {
      events: { committed: (sequence) => told.push(`committed ${sequence}`) },
      bucket,
      clock,
      permit,
      confirm: async () => 'confirmed',
      ...ports,
    },
    {
      fenced: () => told.push('fenced'),
      vanished: () => told.push('vanished'),
      moved: () => told.push('moved'),
      doubted: () => told.push('doubted'),
      failed: (error) => told.push(`failed: ${error.message}`),
      unsafe: (error) => told.push(`unsafe: ${error.message}`),
    },
  );
  return { clock, permit, bucket, told, committer };
}

describe('a committer', () => {
  it('a committer commits immediately if no more messages wait', async () => {
    const { committer, bucket, told } = bench();
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    assert.deepEqual(bucket.writes, [11]);
    assert.deepEqual(bucket.record, { ...bucket.record, seq: 11, epoch: 7 });
    assert.deepEqual(told, ['committed 11']);
  });

  it('a position does not go back if a message is handled although it already counts as lost', async () => {
    const { committer, bucket, clock } = bench();
    committer.follow({ sequence: 20, storedMs: undefined });
    committer.handled(fakeMessage(15), 1, true);
    clock.advance(200);
    await settle();
    assert.equal(bucket.record?.seq, 20);
    committer.handled(fakeMessage(21), 1, true);
    clock.advance(200);
    await settle();
    assert.equal(bucket.record?.seq, 21);
  });

  it('a committer reports the last commit to its barrier', async () => {
    const { committer, bucket } = bench({ barrier: (last) => last });
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    assert.deepEqual(bucket.writes, []);
    await committer.flush(1_000);
    assert.deepEqual(bucket.writes, [11]);
  });

  it('a committer waits a quarter of the interval if no more messages wait but it has just committed', async () => {
    const { committer, bucket, clock } = bench();
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    committer.handled(fakeMessage(12), 1, true);
    await settle();
    clock.advance(49);
    await settle();
    assert.deepEqual(bucket.writes, [11]);
    clock.advance(1);
    await settle();
    assert.deepEqual(bucket.writes, [11, 12]);
  });

  it('a committer commits once per interval while more messages wait', async () => {
    const { committer, bucket, clock } = bench();
    for (let sequence = 11; sequence <= 50; sequence++) committer.handled(fakeMessage(sequence), 1, false);
    await settle();
    clock.advance(199);
    assert.deepEqual(bucket.writes, []);
    clock.advance(1);
    await settle();
    assert.deepEqual(bucket.writes, [50]);
  });

  it('a committer stores the count of dropped messages with the position, even if no more messages are handled', async () => {
    const { committer, bucket, clock } = bench();
    committer.trimmed(7);
    clock.advance(200);
    await settle();
    assert.deepEqual(bucket.record, { ...bucket.record, seq: 10, epoch: 7, trimmed: 7 });
    committer.handled(fakeMessage(11), 1, true);
    clock.advance(200);
    await settle();
    assert.deepEqual(bucket.record, { ...bucket.record, seq: 11, trimmed: 7 });
    assert.deepEqual(bucket.writes, [10, 11]);
  });

  it('a committer commits after the configured number of messages', async () => {
    const { committer, bucket } = bench();
    committer.handled(fakeMessage(600), 999, false);
    await settle();
    assert.deepEqual(bucket.writes, []);
    committer.handled(fakeMessage(601), 1, false);
    await settle();
    assert.deepEqual(bucket.writes, [601]);
  });

  it('a committer has at most one write in flight, and then writes the newest position', async () => {
    const { committer, bucket } = bench();
    let go = () => {};
    bucket.hold = new Promise((resolve) => {
      go = resolve;
    });
    committer.handled(fakeMessage(11), 1_000, false);
    committer.handled(fakeMessage(12), 1_000, false);
    committer.handled(fakeMessage(13), 1_000, false);
    await settle();
    assert.deepEqual(bucket.writes, []);
    go();
    await settle();
    assert.deepEqual(bucket.writes, [11, 13]);
  });

  it('a committer recognises a lost answer by reading back its own epoch and sequence', async () => {
    const { committer, bucket, told } = bench();
    bucket.script.push('lost');
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    assert.deepEqual(told, ['committed 11']);
    committer.handled(fakeMessage(12), 1, true);
    await committer.flush(1_000);
    assert.deepEqual(bucket.writes, [11, 12], 'the revision that was read is used');
  });

  it('a committer writes again if a write of unknown outcome was not applied', async () => {
    const { committer, bucket } = bench();
    bucket.script.push({ kind: 'unknown' });
    committer.handled(fakeMessage(11), 1, true);
    await committer.flush(1_000);
    assert.deepEqual(bucket.writes, [11]);
  });

  it('a committer is fenced by a newer epoch, and writes nothing more', async () => {
    const { committer, bucket, told } = bench();
    bucket.put({ v: 1, seq: 10, epoch: 8, at: '' });
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    assert.deepEqual(told, ['fenced']);
    committer.handled(fakeMessage(12), 1, true);
    await committer.flush(1_000);
    assert.deepEqual(bucket.writes, []);
  });

  for (const seq of [3, 10, 30]) {
    it(`a committer does not overwrite a position that an operator moved to ${seq} under its epoch`, async () => {
      const { committer, bucket, told } = bench();
      bucket.put({ v: 1, seq, epoch: 7, at: '' });
      committer.handled(fakeMessage(11), 1, true);
      await committer.flush(1_000);
      assert.deepEqual(told, ['moved']);
      assert.deepEqual([bucket.writes, bucket.record?.seq], [[], seq]);
    });
  }

  it('a committer recognises its own write that is applied late, between two other writes', async () => {
    const { committer, bucket, told } = bench();
    bucket.script.push({ kind: 'unknown' });
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    committer.handled(fakeMessage(12), 1, true);
    bucket.put({ v: 1, seq: 11, epoch: 7, at: '' });
    await committer.flush(1_000);
    assert.deepEqual([told, bucket.writes], [['committed 11', 'committed 12'], [12]]);
  });

  it('a committer reports that the position is gone', async () => {
    const { committer, bucket, told } = bench();
    bucket.value = null;
    bucket.revision++;
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    assert.deepEqual(told, ['vanished']);
  });

  it('a committer reports an error that a retry cannot fix', async () => {
    const { committer, bucket, told } = bench();
    bucket.script.push({ kind: 'failed', error: new NatspocError('not-permitted', 'no') });
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    assert.deepEqual(told, ['failed: no']);
  });

  it('a committer writes nothing while the permit is closed', async () => {
    const { committer, bucket, permit } = bench();
    permit.extendTo(Number.NEGATIVE_INFINITY);
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    assert.deepEqual(bucket.writes, []);
    permit.extendTo(1_000_000);
    await settle();
    assert.deepEqual(bucket.writes, [11]);
  });

  it('a committer waits for the effects of the messages that it commits, not of later messages', async () => {
    let written = () => {};
    const { committer, bucket } = bench({
      barrier: () =>
        new Promise((resolve) => {
          written = resolve;
        }),
    });
    committer.handled(fakeMessage(11), 1, true);
    await settle();
    committer.handled(fakeMessage(12), 1, true);
    assert.deepEqual(bucket.writes, []);
    written();
    await settle();
    assert.deepEqual(bucket.writes, [11], 'message 12 was handled after the barrier was called');
  });

  it('a committer commits nothing, and does not wait, if the effects can never become safe', async () => {
    const { committer, bucket, told } = bench({ barrier: () => Promise.reject(new Error('EPIPE')) });
    committer.handled(fakeMessage(11), 1, true);
    await committer.flush(10_000);
    assert.deepEqual(bucket.writes, []);
    assert.deepEqual(told, ['unsafe: the barrier before a commit was rejected: Error: EPIPE']);
  });

  it('a committer ends a flush at its deadline', async () => {
    const { committer, clock, bucket } = bench();
    bucket.hold = new Promise(() => {});
    committer.handled(fakeMessage(11), 1, true);
    let flushed = false;
    void committer.flush(2_000).then(() => {
      flushed = true;
    });
    await settle();
    assert.equal(flushed, false);
    clock.advance(2_000);
    await settle();
    assert.equal(flushed, true);
  });
});
