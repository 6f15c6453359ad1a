import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkedTarget, parseSeekTarget, planSeek } from '../../src/core/admin/seek-target.js';

/** A partition's messages, by their sequences in the stream. */
const counting = (sequences: readonly number[]) => ({
  waiting: async (partition: number, after: number) => ({
    partition,
    after,
    count: sequences.filter((sequence) => sequence > after).length,
  }),
  sequences: async (_partition: number, after: number, limit: number) =>
    sequences.filter((sequence) => sequence > after).slice(0, limit),
  storedTime: async (): Promise<number | undefined> => undefined,
});

describe('the target of a seek', () => {
  it("every form of a seek's target is parsed", () => {
    assert.deepEqual(parseSeekTarget('seq:7'), { kind: 'sequence', sequence: 7 });
    assert.deepEqual(parseSeekTarget('-100'), { kind: 'relative', messages: -100 });
    const time = new Date('2026-01-31T08:00:00Z');
    for (const text of ['time:2026-01-31T08:00:00Z', '2026-01-31T08:00:00Z'])
      assert.deepEqual(parseSeekTarget(text), { kind: 'time', time });
    for (const text of ['first', 'earliest']) assert.deepEqual(parseSeekTarget(text), { kind: 'first' });
    for (const text of ['new', 'last', 'latest']) assert.deepEqual(parseSeekTarget(text), { kind: 'new' });
    const ago = parseSeekTarget('-1h30m');
    assert.ok(ago.kind === 'time' && Math.abs(Date.now() - 5_400_000 - ago.time.getTime()) < 1_000);
    for (const bad of [
      '-1x',
      'constructor',
      '',
      'seq:0',
      'seq:x',
      'seq:99999999999999999',
      'time:x',
      'time:5',
      '100',
      '-0',
      '--1',
      'First',
    ]) {
      assert.throws(() => parseSeekTarget(bad), { code: 'usage' }, bad);
    }
  });

  it('the target that a program gives is checked', () => {
    const time = new Date();
    const good = [
      { kind: 'first' },
      { kind: 'new' },
      { kind: 'sequence', sequence: 9 },
      { kind: 'time', time },
      { kind: 'relative', messages: -5 },
    ];
    for (const target of good) assert.deepEqual(checkedTarget(target), target);
    const bad = [
      { kind: 'last' },
      { kind: 'time', time: time.toISOString() },
      { kind: 'sequence' },
      { kind: 'relative', messages: 1.5 },
      'first',
      undefined,
    ];
    for (const target of bad)
      assert.throws(() => checkedTarget(target), { code: 'usage', message: /^target: .* is not one of/ });
  });

  it('the target repeats or skips exactly the requested number of messages, despite gaps', async () => {
    const cases = fc.record({
      sequences: fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 }),
      at: fc.nat(),
      by: fc.integer({ min: -80, max: 80 }).filter((by) => by !== 0),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ sequences, at, by }) => {
        const sorted = [...sequences].sort((a, b) => a - b);
        const handled = (at % sorted.length) + 1;
        const position = sorted[handled - 1] ?? 0;
        const stream = { firstSequence: sorted[0] ?? 1, lastSequence: 300 };
        const source = { observer: counting(sorted), stream, sequenceAt: async () => 0 };
        const step = await planSeek(source, 0, { sequence: position }, { kind: 'relative', messages: by });
        const left = sorted.length - handled;
        assert.equal(step.repeated, by < 0 ? Math.min(-by, handled) : 0);
        assert.equal(step.skipped, by > 0 ? Math.min(by, left) : 0);
      }),
    );
  });

  it('the target is counted correctly while messages arrive', async () => {
    const sequences = Array.from({ length: 50 }, (_, i) => i + 1);
    const { waiting, sequences: listed } = counting(sequences);
    const observer = {
      // Each request finds one more message than the one before.
      waiting: async (partition: number, after: number) => {
        sequences.push(sequences.length + 1);
        return waiting(partition, after);
      },
      sequences: listed,
      storedTime: async () => undefined,
    };
    const source = {
      observer,
      stream: { firstSequence: 1, lastSequence: 50 },
      sequenceAt: async () => 0,
    };
    const back = await planSeek(source, 0, { sequence: 40 }, { kind: 'relative', messages: -10 });
    assert.deepEqual([back.to, back.repeated], [30, 10]);
    const on = await planSeek(source, 0, { sequence: 30 }, { kind: 'relative', messages: 10 });
    assert.deepEqual([on.to, on.skipped], [40, 10]);
  });

  it('the target is not counted from a wrong position', async () => {
    const source = {
      observer: counting([1, 2, 3]),
      stream: { firstSequence: 1, lastSequence: 3, createdAtMs: 5_000 },
      sequenceAt: async () => 1,
    };
    const anew = { sequence: 2, created: 1_000 };
    for (const position of [{ sequence: 4 }, anew, 'unreadable'] as const) {
      for (const target of ['-1', '+1']) {
        await assert.rejects(planSeek(source, 7, position, parseSeekTarget(target)), /^NatspocError: p7: /);
      }
      const { to, from } = await planSeek(source, 7, position, { kind: 'first' });
      assert.deepEqual([from, to], [position === 'unreadable' ? null : position.sequence, 0]);
    }
  });

  it('without a position, messages are counted from the start of the group', async () => {
    const planned = async (start: number | null, target: string) => {
      const stream = { firstSequence: 1, lastSequence: 6 };
      const source = { observer: counting([1, 2, 3, 4, 5, 6]), stream, start, sequenceAt: async () => 0 };
      const { to, skipped, repeated } = await planSeek(source, 0, null, parseSeekTarget(target));
      return [to, skipped, repeated];
    };
    assert.deepEqual(await planned(4, 'first'), [0, 0, 4]);
    assert.deepEqual(await planned(4, 'new'), [6, 2, 0]);
    assert.deepEqual(await planned(4, '-1'), [3, 0, 1]);
    assert.deepEqual(await planned(null, 'new'), [6, 6, 0]);
    // The start belongs to an earlier stream of the same name.
    assert.deepEqual(await planned(40, 'first'), [0, 0, 6]);
  });

  it('the target is never beyond the last stored message', async () => {
    const source = {
      observer: counting([1, 2, 3]),
      stream: { firstSequence: 1, lastSequence: 3 },
      sequenceAt: async () => 100,
    };
    for (const target of ['seq:50', 'time:2030-01-01T00:00:00Z', 'new', '+50']) {
      assert.equal((await planSeek(source, 0, { sequence: 1 }, parseSeekTarget(target))).to, 3, target);
    }
    assert.deepEqual(await planSeek(source, 0, null, { kind: 'first' }), {
      partition: 0,
      from: null,
      to: 0,
      skipped: 0,
      repeated: 0,
      countIsEstimate: false,
    });
  });
});
