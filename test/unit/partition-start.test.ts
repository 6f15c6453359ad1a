import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { GroupLayoutRecord } from '../../src/core/protocol/layout-records.js';
import type { StreamMessage } from '../../src/core/protocol/message.js';
import {
  behindResize,
  inheritedBy,
  type PartitionIn,
  settledAt,
  startsAt,
} from '../../src/core/protocol/partition-start.js';
import { RESIZED_VERSION } from '../../src/core/protocol/record-format.js';

const layoutOf = (partitions: number, positions: number[]): GroupLayoutRecord => ({
  v: RESIZED_VERSION,
  key: 'subject:1',
  filter: '>',
  partitions,
  hash: 'fnv1a32',
  epoch: 1,
  before: { partitions: positions.length, positions },
});

/** A message whose key has this hash. */
const message = (sequence: number, hash: number): StreamMessage => ({
  sequence,
  subject: String(hash),
  data: new Uint8Array(),
  size: 0,
  timestampMs: 0,
  key: null,
  headers: () => ({}),
});
const partitionIn: PartitionIn = ({ subject }, { partitions, prefix }) =>
  prefix === undefined ? Number(subject) % partitions : Number(subject);

describe('the start of a partition after a resize', () => {
  it('after a resize each message is handled once, in the order of its key, whatever the counts and positions are', () => {
    const shape = fc.record({
      positions: fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }),
      partitions: fc.integer({ min: 1, max: 12 }),
      hashes: fc.array(fc.nat(500), { minLength: 40, maxLength: 40 }),
    });
    fc.assert(
      fc.property(shape, ({ positions, partitions, hashes }) => {
        const layout = layoutOf(partitions, positions);
        for (const [index, hash] of hashes.entries()) {
          const each = message(index + 1, hash);
          const wasHandled = each.sequence <= (positions[hash % positions.length] ?? 0);
          const partition = hash % partitions;
          const inherited = inheritedBy(partition, layout, partitionIn);
          const isRead = each.sequence > (inherited?.start.seq ?? 0) && !inherited?.isHandled(each);
          assert.equal(isRead, !wasHandled);
        }
      }),
    );
  });

  it('a partition starts at the lowest position among only those old partitions that share keys with it', () => {
    const layout = layoutOf(12, [50, 10, 60, 70, 80, 90, 20, 30]);
    // Old partitions share keys with a new one if their numbers are equal modulo 4.
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((partition) => startsAt(partition, layout)),
      [50, 10, 20, 30, 50],
    );
    assert.equal(settledAt(0, layout), 80);
  });

  it('after the layout of the stream, whose partitions may share any keys, a partition of a keyed layout starts at the lowest of all positions', () => {
    const layout = { ...layoutOf(4, [50, 10, 60]), prefix: 'events' };
    assert.deepEqual(
      [0, 1, 2, 3].map((partition) => [startsAt(partition, layout), settledAt(partition, layout)]),
      Array.from({ length: 4 }, () => [10, 60]),
    );
    // In the stream's own layout the subject names the partition. If it names no existing partition, the message was not handled.
    const isHandled = (sequence: number, subject: number) =>
      inheritedBy(0, layout, partitionIn)?.isHandled(message(sequence, subject));
    assert.deepEqual(
      [isHandled(50, 0), isHandled(51, 0), isHandled(60, 2), isHandled(11, 7)],
      [true, false, true, false],
    );
    // The next layout follows a keyed layout.
    assert.equal(startsAt(0, { ...layout, epoch: 2, partitions: 3 }), 50);
  });

  it('messages that the stream dropped before the start are reported once', () => {
    const { before } = layoutOf(2, [5]);
    const layout = { ...layoutOf(2, [5]), before: { partitions: 1, positions: [5], ...before, trimmed: 7 } };
    const trimmed = [0, 1].map((partition) => inheritedBy(partition, layout, partitionIn)?.start.trimmed);
    assert.deepEqual(trimmed, [7, undefined]);
  });

  it('a partition depends on the old positions until it has passed the highest of them, or a seek has moved its position', () => {
    const layout = layoutOf(2, [5, 9]);
    const at = (...sequences: [number, true?][]) =>
      behindResize(layout, new Map(sequences.map(([sequence, sought], p) => [p, { sequence, sought }])));
    assert.deepEqual(at([5], [9]), []);
    assert.deepEqual(at([4], [9]), [0]);
    assert.deepEqual(at([4, true], [9]), []);
    assert.deepEqual(behindResize(layoutOf(1, [5, 9]), new Map()), [0]);
    assert.deepEqual(behindResize({ ...layout, before: undefined }, new Map()), []);
  });
});
