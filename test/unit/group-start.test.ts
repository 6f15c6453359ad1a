import assert from 'node:assert/strict';
import type { StartFrom } from '../../src/core/config/start-from.js';
import { type GroupStart, groupStart } from '../../src/core/member/partition/group-start.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import { FakeBucket, FakeStream, settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

function bench() {
  const [bucket, stream, clock] = [new FakeBucket(), new FakeStream(), new ManualClock()];
  stream.range = { first: 21, last: 30 };
  const decide = (from: StartFrom): Promise<GroupStart> =>
    groupStart('g', from, { bucket, stream, clock }, 1_000);
  return { bucket, stream, clock, decide };
}

describe("a group's start", () => {
  for (const [from, seq] of [
    [{ kind: 'first' }, 20],
    [{ kind: 'new' }, 30],
    [{ kind: 'sequence', sequence: 25 }, 24],
    [{ kind: 'time', time: new Date(0) }, 0],
  ] as const) {
    it(`a group's start from ${from.kind} is stored before it is returned`, async () => {
      const { bucket, decide } = bench();
      assert.deepEqual(await decide(from), { seq, end: 30 });
      assert.deepEqual(bucket.record, { ...bucket.record, v: RECORD_VERSION, seq });
    });
  }

  it("a group's start is the end of the stream if the requested place is beyond it", async () => {
    const { bucket, stream, decide } = bench();
    stream.first = 40;
    assert.deepEqual(await decide({ kind: 'sequence', sequence: 100 }), { seq: 30, end: 30 });
    bucket.value = null;
    assert.deepEqual(await decide({ kind: 'time', time: new Date(0) }), { seq: 30, end: 30 });
  });

  it("a group's start is not guessed if it cannot be read", async () => {
    const { bucket, decide } = bench();
    bucket.put({ v: 1, seq: -1, at: '' });
    assert.equal(await decide({ kind: 'first' }), 'unreadable');
    assert.equal(bucket.writes.length, 0);
  });

  it("a group's start is decided once: later members get the first member's decision", async () => {
    const { bucket, stream, decide } = bench();
    await decide({ kind: 'new' });
    stream.range = { first: 21, last: 99 };
    assert.deepEqual(await decide({ kind: 'new' }), { seq: 30, end: 30 });
    assert.deepEqual(await decide({ kind: 'first' }), { seq: 30, end: 30 });
    assert.equal(bucket.writes.length, 1);
  });

  it("a group's start records the kind of the group, and a member of the other kind is refused with an error that names both kinds", async () => {
    const { bucket, stream, clock } = bench();
    const join = (key: string | null): Promise<GroupStart> =>
      groupStart('g', { kind: 'first' }, { bucket, stream, clock, key }, 1_000);
    assert.deepEqual(await join('subject:2'), { seq: 20, end: 30, key: 'subject:2' });
    await assert.rejects(
      join(null),
      /^NatspocError: Group g handles messages by subject:2, but this member asks for the partitions/,
    );
    await join('subject:2');
    bucket.value = null;
    await join(null);
    await assert.rejects(
      join('header:A'),
      /handles the partitions of the stream, but .* asks for messages by header:A/,
    );
  });

  it("a group's start is the choice of the faster of two members that decide at the same time", async () => {
    const { bucket, stream, clock, decide } = bench();
    let write = (): void => {};
    bucket.hold = new Promise((resolve) => {
      write = resolve;
    });
    const first = decide({ kind: 'new' });
    await settle();
    stream.range = { first: 21, last: 99 };
    const second = decide({ kind: 'new' });
    await settle();
    write();
    await settle();
    clock.advance(100);
    assert.deepEqual(await Promise.all([first, second]), [
      { seq: 30, end: 30 },
      { seq: 30, end: 30 },
    ]);
  });

  it("a group's start is read back if the answer to its write is lost", async () => {
    const { bucket, stream, clock, decide } = bench();
    bucket.script.push('lost');
    const start = decide({ kind: 'new' });
    await settle();
    stream.range = { first: 21, last: 99 };
    clock.advance(100);
    assert.deepEqual(await start, { seq: 30, end: 30 });
  });

  it("deciding a group's start fails if the bucket does not answer in time", async () => {
    const { bucket, clock, decide } = bench();
    bucket.reads.push(...Array.from({ length: 20 }, () => ({ kind: 'unknown' as const })));
    const start = assert.rejects(decide({ kind: 'new' }), { code: 'unreachable' });
    for (let tries = 0; tries < 11; tries++) {
      await settle();
      clock.advance(100);
    }
    await start;
  });

  it("deciding a group's start fails with the reason of the server if a full bucket stays full", async () => {
    const { bucket, clock, decide } = bench();
    const refusal = 'bucket b refuses writes (maximum bytes exceeded)';
    bucket.script.push(...Array.from({ length: 20 }, () => ({ kind: 'unknown' as const, refusal })));
    const start = assert.rejects(decide({ kind: 'new' }), {
      code: 'storage-failed',
      message: `Could not write where group g starts: ${refusal}.`,
    });
    for (let tries = 0; tries < 11; tries++) {
      await settle();
      clock.advance(100);
    }
    await start;
  });
});
