import assert from 'node:assert/strict';
import type { Effect, LayoutEntry, ViewEntry } from '../../src/core/protocol/events.js';
import type { GroupLayoutRecord } from '../../src/core/protocol/layout-records.js';
import { RECORD_VERSION, RESIZED_VERSION } from '../../src/core/protocol/record-format.js';
import type { LeaseRecord } from '../../src/core/protocol/records.js';
import { GroupDriver, lease, leaseRecord, session } from '../support/group-driver.js';

const LAYOUT: GroupLayoutRecord = {
  v: RECORD_VERSION,
  key: 'subject:2',
  filter: '>',
  partitions: 2,
  hash: 'fnv1a32',
};

const layout = (revision: number, change: Partial<GroupLayoutRecord> = {}): LayoutEntry => ({
  kind: 'layout',
  revision,
  record: { ...LAYOUT, ...change },
});
const order = (revision: number): LayoutEntry =>
  layout(revision, { v: RESIZED_VERSION, next: { partitions: 4, by: 'op', at: '' } });

const of = (partition: number, revision: number, record: Partial<LeaseRecord>): ViewEntry => ({
  kind: 'lease',
  partition,
  revision,
  record: { ...leaseRecord(null), v: RESIZED_VERSION, reason: 'release', ...record },
});

/** A member that handles p0. B has p1. The layout is at revision 1. */
function handling(): GroupDriver {
  const me = new GroupDriver(2, { record: LAYOUT, revision: 1 });
  me.join([session('B', 5), layout(1), lease(0, 6, 'ME'), lease(1, 7, 'B')]);
  me.send({ type: 'partition-started', partition: 0, epoch: 6 });
  return me;
}

const writes = (effects: Effect[]) => effects.filter((each) => each.type === 'write-lease');

/** A member that has drained p0 for the order at revision 20, and knows p0's position. */
function settled(): GroupDriver {
  const me = handling();
  me.send({ type: 'changes', entries: [order(20)] });
  assert.deepEqual(me.last('drain-partition'), [{ type: 'drain-partition', partition: 0, epoch: 6 }]);
  me.send({ type: 'partition-drained', partition: 0, epoch: 6 });
  assert.deepEqual(me.last('settle-position'), [
    { type: 'settle-position', partition: 0, epoch: 6, order: 20, isDrained: true },
  ]);
  me.send({ type: 'position-settled', partition: 0, epoch: 6, order: 20, position: { seq: 40 } });
  return me;
}

describe('a resize', () => {
  it('a resize closes its partitions, and writes the next layout only when all are closed', () => {
    const me = settled();
    const [close] = me.last('write-lease');
    assert.deepEqual([close?.expected, close?.record.owner, close?.record.v], [6, null, RESIZED_VERSION]);
    assert.deepEqual(close?.record.closed, { order: 20, seq: 40 });
    me.send({ type: 'changes', entries: [of(0, 21, { closed: { order: 20, seq: 40 } })] });
    assert.deepEqual(me.last('write-layout'), []);
    me.send({ type: 'changes', entries: [of(1, 22, { closed: { order: 20, seq: 55, trimmed: 3 } })] });
    const [cut] = me.last('write-layout');
    assert.equal(cut?.expected, 20);
    assert.deepEqual(cut?.record, {
      ...{ ...LAYOUT, v: RESIZED_VERSION, partitions: 4, epoch: 1 },
      before: { partitions: 2, positions: [40, 55], trimmed: 3 },
    });
  });

  it('a resize tries again to settle a position, and reports why it cannot be settled', () => {
    const me = handling();
    me.send({ type: 'changes', entries: [order(20)] });
    me.send({ type: 'partition-drained', partition: 0, epoch: 6 });
    me.send({ type: 'position-settled', partition: 0, epoch: 6, order: 20, position: null, message: 'no' });
    assert.deepEqual(me.last('write-lease'), []);
    assert.equal(me.last('report')[0]?.report.type, 'retrying');
    me.wait(me.timing.retryMs);
    assert.equal(me.last('settle-position').length, 1);
  });

  it('when the next layout is written, members claim the new partitions, and expect the revisions of the old leases', () => {
    const me = settled();
    const next = layout(30, {
      v: RESIZED_VERSION,
      partitions: 3,
      epoch: 1,
      before: { partitions: 2, positions: [40, 55] },
    });
    const closed = [0, 1].map((p) => of(p, 21 + p, { closed: { order: 20, seq: 40 } }));
    const effects = me.send({ type: 'changes', entries: [...closed, next] });
    assert.equal(me.last('begin-layout').length, 1);
    const claims = writes(effects).map(
      (each) => each.type === 'write-lease' && [each.partition, each.expected],
    );
    // The member claims one or two of the three partitions. B claims the others.
    assert.ok(claims.length > 0);
    for (const claim of claims) assert.ok(claim && claim[1] === [21, 22, 0][claim[0] ?? 9]);
    for (const { record } of me.last('write-lease')) assert.deepEqual([record.layout, record.v], [1, 3]);
  });

  it('closed partitions are handled again when a resize is withdrawn', () => {
    const me = settled();
    const record = { ...leaseRecord(null), closed: { order: 20, seq: 40 }, from: 'me' };
    const outcome = { kind: 'ok', revision: 21 } as const;
    me.send({ type: 'lease-written', partition: 0, expected: 6, record, outcome });
    // The partition is closed, so it is not claimed while the order exists.
    assert.deepEqual(me.last('write-lease'), []);
    me.send({ type: 'changes', entries: [layout(25)] });
    const [claim] = me.last('write-lease');
    assert.deepEqual([claim?.partition, claim?.expected, claim?.record.owner], [0, 21, 'ME']);
    assert.equal(claim?.record.closed, undefined);
  });

  it('a drained partition starts again if the resize is withdrawn before the partition is closed', () => {
    const me = handling();
    me.send({ type: 'changes', entries: [order(20)] });
    me.send({ type: 'partition-drained', partition: 0, epoch: 6 });
    me.send({ type: 'changes', entries: [layout(25)] });
    assert.deepEqual(
      me.last('start-partition').map(({ partition, epoch }) => [partition, epoch]),
      [[0, 6]],
    );
  });

  it('a member ignores entries of a layout that it does not know yet', () => {
    const me = handling();
    me.send({ type: 'layout-looked-up', entry: 'unknown' });
    me.send({ type: 'changes', entries: [of(1, 40, { layout: 1, owner: null })] });
    assert.deepEqual(me.last('write-lease'), []);
    assert.equal(me.last('look-up-layout').length, 1);
    me.send({ type: 'changes', entries: [of(1, 41, { closed: { order: 39, seq: 1 } })] });
    assert.deepEqual(me.last('write-lease'), []);
    const entry = layout(45, {
      v: RESIZED_VERSION,
      partitions: 4,
      epoch: 1,
      before: { partitions: 2, positions: [1, 1] },
    });
    me.send({ type: 'layout-looked-up', entry });
    assert.equal(me.last('begin-layout').length, 1);
    assert.deepEqual(me.last('abort-partition')[0]?.reason, 'resized');
  });

  it('a partition whose owner has died is claimed and closed, without being started', () => {
    const me = handling();
    me.send({ type: 'changes', entries: [order(20)] });
    me.send({ type: 'changes', entries: [{ kind: 'session', id: 'B', revision: 21, record: null }] });
    const claim = me.last('write-lease').find(({ partition }) => partition === 1);
    assert.equal(claim?.record.owner, 'ME');
    me.send({ type: 'changes', entries: [of(1, 22, { owner: 'ME', reason: 'claim' })] });
    assert.deepEqual(me.last('start-partition'), []);
    assert.equal(me.last('drain-partition')[0]?.partition, 1);
  });
});
