import assert from 'node:assert/strict';
import { type ClearingPorts, planClearing } from '../../src/core/admin/clearing.js';
import type { PositionFacts, StreamFacts } from '../../src/core/ports/facts.js';
import type { ClearedRecord, StartRecord } from '../../src/core/protocol/position-records.js';

const CREATED = 1_000;

/** A stream with the sequences of each partition's messages. */
interface Stored {
  partitions: number[][];
  last: number;
  created?: number;
}

interface Given {
  stored: Stored;
  /** The positions of each group, by partition. `broken` is a position that cannot be read. */
  groups: Record<string, Record<number, number | 'broken'>>;
  starts?: Record<string, StartRecord>;
  cleared?: Record<string, ClearedRecord>;
  /** `beforeWaiting` is called before the waiting messages are read. `meanwhile` is called before the second read of the stream. */
  beforeWaiting?: (stored: Stored) => void;
  meanwhile?: (stored: Stored) => void;
}

const start = (seq: number, end: number, created = CREATED): StartRecord => ({
  ...{ v: 2, seq, end, created },
  at: '',
});

function facts({ partitions, last, created = CREATED }: Stored): StreamFacts {
  const sequences = partitions.flat();
  return {
    counts: partitions.map((each) => each.length),
    messages: sequences.length,
    firstSequence: sequences.length > 0 ? Math.min(...sequences) : last + 1,
    lastSequence: last,
    createdAtMs: created,
  } as unknown as StreamFacts;
}

function positionsOf(given: Record<number, number | 'broken'>): PositionFacts[] {
  return Object.entries(given).map(([partition, found]) => ({
    ...{ partition: Number(partition), sequence: found === 'broken' ? 0 : found, epoch: 1, atMs: 0 },
    ...(found === 'broken' && { unreadable: found }),
  }));
}

/** The planned records, by group and partition: `seq`, or `seq` and `purged`. */
async function planned(given: Given, deletedUpTo: (partition: number) => number = () => 0) {
  const { groups, starts = {}, cleared = {}, beforeWaiting, meanwhile } = given;
  const stored = structuredClone(given.stored);
  let reads = 0;
  const after = (partition: number, sequence: number): number[] =>
    (stored.partitions[partition] ?? []).filter((each) => each > sequence);
  const ports: ClearingPorts = {
    observers: new Map(
      Object.entries(groups).map(([group, each]) => [group, { positions: async () => positionsOf(each) }]),
    ),
    observer: {
      stream: async () => {
        if (++reads === 2) meanwhile?.(stored);
        return facts(stored);
      },
      ends: async () =>
        stored.partitions.flatMap((each, partition) => {
          const sequence = each.at(-1);
          return sequence === undefined ? [] : [{ partition, sequence, atMs: 0 }];
        }),
      sequences: async (partition, sequence, limit) => {
        beforeWaiting?.(stored);
        return after(partition, sequence).slice(0, limit);
      },
      storedTime: async () => undefined,
    },
    start: async (group) => starts[group],
    cleared: async (group, partition) => cleared[`${group}.${partition}`],
  };
  const { created, clearings } = await planClearing(ports, deletedUpTo);
  assert.equal(created, CREATED);
  return Object.fromEntries(
    clearings.map(({ group, partition, seq, purged }) => [
      `${group}.${partition}`,
      purged === undefined ? seq : [seq, purged],
    ]),
  );
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('the records of cleared partitions', () => {
  it('a partition that never had a message is cleared, if the stream has dropped no message', async () => {
    const groups = { g: { 0: 1, 1: 301, 2: 0, 3: 0 } };
    const stored = { partitions: [[1], range(2, 301), [], []], last: 301 };
    assert.deepEqual(await planned({ stored, groups }), { 'g.0': 301, 'g.1': 301, 'g.2': 301, 'g.3': 301 });
    // Message 2 is gone. It may have been in p2 or p3.
    const gap = { partitions: [[1], range(3, 301), [], []], last: 301 };
    assert.deepEqual(await planned({ stored: gap, groups }), { 'g.0': 301, 'g.1': 301 });
    const dropped = { partitions: [[], range(2, 301), [], []], last: 301 };
    assert.deepEqual(await planned({ stored: dropped, groups }), { 'g.0': 301, 'g.1': 301 });
  });

  it('a partition is cleared up to its first waiting message', async () => {
    const stored = { partitions: [range(1, 300), [301, 302]], last: 302 };
    assert.deepEqual(await planned({ stored, groups: { g: { 0: 300, 1: 0 } } }), { 'g.0': 302, 'g.1': 300 });
    assert.deepEqual(await planned({ stored, groups: { g: { 0: 7, 1: 301 } } }), { 'g.0': 7, 'g.1': 301 });
  });

  it('a partition is not cleared if the stream may have dropped its messages after the position', async () => {
    const stored = { partitions: [[30], [], []], last: 40 };
    const groups = { g: { 0: 30, 1: 29, 2: 5 } };
    assert.deepEqual(await planned({ stored, groups }), { 'g.0': 40, 'g.1': 40 });
    // An earlier trim recorded that the messages up to 29 were handled.
    const cleared = { 'g.2': { v: 2, seq: 29, created: CREATED } };
    assert.deepEqual(await planned({ stored, groups, cleared }), { 'g.0': 40, 'g.1': 40, 'g.2': 40 });
    // That trim was on another stream.
    const other = { 'g.2': { v: 2, seq: 29, created: CREATED - 1 } };
    assert.deepEqual(await planned({ stored, groups, cleared: other }), { 'g.0': 40, 'g.1': 40 });
  });

  it('a partition is not cleared if messages disappear while the state is read', async () => {
    const stored = { partitions: [range(1, 20), []], last: 20 };
    const meanwhile = (now: Stored): void => {
      now.partitions[0] = range(12, 20);
    };
    const groups = { g: { 0: 20, 1: 10 } };
    assert.deepEqual(await planned({ stored, groups }), { 'g.0': 20, 'g.1': 20 });
    assert.deepEqual(await planned({ stored, groups, meanwhile }), { 'g.0': 20 });
    const recreated = (now: Stored): void => {
      now.created = CREATED + 1;
    };
    assert.deepEqual(await planned({ stored, groups, meanwhile: recreated }), {});
    // The waiting message of p1 disappears.
    const waits = { partitions: [range(1, 19), [20]], last: 20 };
    const beforeWaiting = (now: Stored): void => {
      now.partitions[1] = [];
    };
    assert.deepEqual(await planned({ stored: waits, groups }), { 'g.0': 20, 'g.1': 19 });
    assert.deepEqual(await planned({ stored: waits, groups, beforeWaiting }), { 'g.0': 20 });
  });

  it('a partition without a position is cleared from the start of its group, if the start is known', async () => {
    const stored = { partitions: [range(5, 20), []], last: 20 };
    const groups = { g: { 0: 20 } };
    assert.deepEqual(await planned({ stored, groups }), { 'g.0': 20 });
    const from = (each: StartRecord) => planned({ stored, groups, starts: { g: each } });
    assert.deepEqual(await from(start(4, 10)), { 'g.0': 20, 'g.1': 20 });
    assert.deepEqual(await from(start(20, 20)), { 'g.0': 20, 'g.1': 20 });
    // The missing messages are older than the group's start.
    assert.deepEqual(await from(start(0, 10)), { 'g.0': 20, 'g.1': 20 });
    assert.deepEqual(await from(start(0, 3)), { 'g.0': 20 });
    assert.deepEqual(await from(start(0, 10, CREATED - 1)), { 'g.0': 20 });
  });

  it('each group has its own records, and a wrong position has none', async () => {
    const stored = { partitions: [range(1, 20), []], last: 20 };
    const groups = { fast: { 0: 20, 1: 0 }, slow: { 0: 10, 1: 0 }, wrong: { 0: 'broken' as const, 1: 99 } };
    assert.deepEqual(await planned({ stored, groups }), {
      ...{ 'fast.0': 20, 'fast.1': 20 },
      ...{ 'slow.0': 10, 'slow.1': 20 },
    });
  });

  it('deleted messages that waited are recorded as lost until the position has passed them', async () => {
    const stored = { partitions: [[1], range(2, 9), []], last: 9 };
    const all = () => Number.POSITIVE_INFINITY;
    const groups = { g: { 0: 1, 1: 4, 2: 0 } };
    assert.deepEqual(await planned({ stored, groups }, all), { 'g.0': 9, 'g.1': [4, 9], 'g.2': 9 });
    assert.deepEqual(await planned({ stored, groups }, (partition) => (partition === 1 ? 4 : 0)), {
      ...{ 'g.0': 9, 'g.1': 4, 'g.2': 9 },
    });
    // The stream still begins before the deleted messages. Only the record shows the loss.
    const left = { partitions: [[1], [], []], last: 9 };
    const cleared = {
      'g.1': { v: 2, seq: 4, purged: 9, created: CREATED },
      'g.2': { v: 2, seq: 9, created: CREATED },
    };
    assert.deepEqual(await planned({ stored: left, groups, cleared }, all), { 'g.0': 9, 'g.2': 9 });
    const passed = { g: { 0: 1, 1: 12, 2: 0 } };
    const later = { partitions: [[1], [12], []], last: 12 };
    assert.deepEqual(await planned({ stored: later, groups: passed, cleared }), {
      ...{ 'g.0': 12, 'g.1': 12, 'g.2': 12 },
    });
  });
});
