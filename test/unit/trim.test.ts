import assert from 'node:assert/strict';
import { planTrim, stillPermitted } from '../../src/core/admin/trim.js';

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

describe('stream trim', () => {
  /** A stream whose partitions hold these sequences. */
  const stream = (sequences: number[], counts: number[]) =>
    ({
      ...counting(sequences),
      stream: async () => ({ counts, lastSequence: sequences.at(-1) }),
      ends: async () => counts.map((_, partition) => ({ partition, sequence: sequences.at(-1), atMs: 0 })),
    }) as unknown as Parameters<typeof planTrim>[1];
  /** A group with these positions. `broken` is a fault in place of a position. */
  const group = (positions: Record<number, number | 'broken'>, stored?: number) =>
    ({
      positions: async () =>
        Object.entries(positions).map(([partition, found]) => ({
          partition: Number(partition),
          sequence: found === 'broken' ? 0 : found,
          epoch: 1,
          atMs: 0,
          ...(found === 'broken' && { unreadable: found }),
          ...(stored !== undefined && { stored }),
        })),
    }) as unknown as Parameters<typeof planTrim>[0] extends ReadonlyMap<string, infer O> ? O : never;

  it('stream trim deletes nothing if a position is wrong, and its error names the group', async () => {
    const observers = new Map([
      ['sound', group({ 0: 30, 1: 30, 2: 30 })],
      ['of another stream', group({ 0: 31, 1: 'broken', 2: 20 })],
    ]);
    const steps = await planTrim(observers, stream([10, 20, 30], [3, 3, 3]));
    assert.deepEqual(
      steps.map(({ upTo, messages, heldBackBy, fault }) => [upTo, messages, heldBackBy, fault]),
      [
        [null, 0, 'of another stream', 'beyond-end'],
        [null, 0, 'of another stream', 'broken'],
        [20, 2, 'of another stream', null],
      ],
    );
  });

  it('stream trim deletes nothing after the lowest position of a keyed group, which has its own partitions', async () => {
    const layout = {
      ...{ v: 2, key: 'header:A', filter: '>', hash: 'fnv1a32' as const },
      partitions: 2,
    };
    const observers = new Map([
      ['own', group({ 0: 30, 1: 30, 2: 30 })],
      ['keyed', group({ 0: 10, 1: 30 })],
    ]);
    const streams = stream([10, 20, 30], [3, 3, 3]);
    const upTo = async (keyed: typeof layout) => {
      const steps = await planTrim(observers, streams, async () => new Map([['keyed', keyed]]));
      return steps.map((step) => step.upTo);
    };
    assert.deepEqual(await upTo(layout), [10, 10, 10]);
    // One partition of the group has no position yet.
    assert.deepEqual(await upTo({ ...layout, partitions: 3 }), [null, null, null]);
  });

  it('stream trim reads the layouts after the positions, so that it misses no resize', async () => {
    const resized = {
      ...{ v: 2, key: 'header:Natspoc-Key', filter: '>', hash: 'fnv1a32' as const, partitions: 2 },
      ...{ prefix: 'e', epoch: 1, before: { partitions: 2, positions: [10, 20] } },
    };
    const layouts = new Map<string, typeof resized>();
    const { positions, ...rest } = group({ 0: 30, 1: 20 });
    const observer = {
      ...rest,
      positions: async () => {
        // The group's first resize has just been carried out. Only partition 0 has a position under the new layout.
        layouts.set('resized', resized);
        return (await positions()).map((each) => ({ ...each, layout: each.partition === 0 ? 1 : 0 }));
      },
    };
    const read = async () => new Map(layouts);
    const steps = await planTrim(new Map([['resized', observer]]), stream([10, 20, 30], [3, 3]), read);
    assert.deepEqual(
      steps.map(({ upTo }) => upTo),
      [10, 10],
    );
  });

  it('a plan is still permitted as far as a later plan deletes the same messages', () => {
    const step = (partition: number, upTo: number | null) => ({
      ...{ partition, upTo, messages: upTo ?? 0, kept: 0 },
      ...{ heldBackBy: null, fault: null },
    });
    const plan = [step(0, 5), step(1, 5), step(2, 5), step(3, null)];
    const later = [step(0, 4), step(1, null), step(2, 6), step(3, 6)];
    assert.deepEqual(stillPermitted(plan, later), [step(0, 4), step(1, null), step(2, 5), step(3, null)]);
  });

  it('stream trim deletes nothing if the sequence of a position was reused', async () => {
    const streams = { ...stream([10, 20, 30], [3, 3]), storedTime: async (sequence: number) => sequence };
    const observers = new Map([['before', group({ 0: 20, 1: 30 }, 20)]]);
    const steps = await planTrim(observers, streams);
    assert.deepEqual(
      steps.map(({ upTo, fault }) => [upTo, fault]),
      [
        [20, null],
        [null, 'other-stream'],
      ],
    );
  });

  it('stream trim deletes the messages that the slowest group has handled, and nothing if a group has no position', async () => {
    const observers = new Map([
      ['fast', group({ 0: 30, 1: 30, 2: 30 })],
      ['slow', group({ 0: 20 })],
    ]);
    const steps = await planTrim(observers, stream([10, 20, 30], [3, 3, 0]));
    assert.deepEqual(
      steps.map(({ upTo, messages, kept, heldBackBy }) => [upTo, messages, kept, heldBackBy]),
      [
        [20, 2, 1, 'slow'],
        [null, 0, 3, 'slow'],
        [null, 0, 0, 'slow'],
      ],
    );
  });
});
