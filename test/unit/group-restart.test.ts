import assert from 'node:assert/strict';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import { decodeLease, encodeRecord, type LeaseRecord } from '../../src/core/protocol/records.js';
import { GroupDriver, gone, lease, leaseRecord, session } from '../support/group-driver.js';

const KEPT_MS = 5_000;

/** A partition without an owner, kept for the member of this name. */
function kept(partition: number, revision: number, name: string): ViewEntry {
  const record: LeaseRecord = {
    ...leaseRecord(null),
    reason: 'release',
    from: name,
    reserved: { name, forMs: KEPT_MS },
  };
  return { kind: 'lease', partition, revision, record };
}

const claimed = (me: GroupDriver): number[] =>
  me
    .last('write-lease')
    .map(({ partition }) => partition)
    .sort((a, b) => a - b);

describe('a member that leaves for a restart', () => {
  /** A member with partition 0 that is asked to leave. The other member is B. */
  function leaving(): GroupDriver {
    const me = new GroupDriver(2);
    me.join([session('B', 1), lease(0, 2, 'ME'), lease(1, 3, 'B')]);
    me.send({ type: 'leave', rejoinWithinMs: KEPT_MS });
    me.send({ type: 'session-written', id: 'ME', outcome: { kind: 'ok', revision: 11 } });
    return me;
  }

  it('a restarting member reserves its partitions for its name when they are drained', () => {
    const me = leaving();
    me.send({ type: 'partition-drained', partition: 0, epoch: 2 });
    const [{ record } = assert.fail('no lease is written')] = me.last('write-lease');
    assert.deepEqual([record.owner, record.reserved], [null, { name: 'me', forMs: KEPT_MS }]);
    me.send({
      type: 'lease-written',
      partition: 0,
      expected: 2,
      record: { ...record, at: '' },
      outcome: { kind: 'ok', revision: 12 },
    });
    assert.deepEqual(
      me.last('report').map(({ report }) => report),
      [{ type: 'released', partition: 0, epoch: 2, keptForMs: KEPT_MS }],
    );
    assert.equal(me.last('remove-session').length, 1);
  });

  it('a restarting member hands its partitions to its next process if that process has joined already', () => {
    const me = leaving();
    me.send({ type: 'changes', entries: [session('NEXT', 12, { name: 'me' })] });
    me.send({ type: 'partition-drained', partition: 0, epoch: 2 });
    assert.equal(me.last('write-lease')[0]?.record.owner, 'NEXT');
  });

  it('a restarting member gives a partition to another member if an operator releases the partition', () => {
    const me = leaving();
    me.send({ type: 'release', partition: 0, to: null });
    me.send({ type: 'partition-drained', partition: 0, epoch: 2 });
    assert.equal(me.last('write-lease')[0]?.record.owner, 'B');
  });
});

describe('partitions that are kept for a restart', () => {
  it('kept partitions are claimed by no other member in time, and no other partition moves', () => {
    const me = new GroupDriver(4);
    me.join([session('A', 1), lease(0, 2, 'A'), lease(1, 3, 'A'), lease(2, 4, 'ME'), lease(3, 5, 'ME')]);
    me.send({ type: 'changes', entries: [kept(0, 12, 'a'), kept(1, 13, 'a'), gone('A', 14)] });
    assert.deepEqual(claimed(me), []);
    me.wait(KEPT_MS - 1);
    assert.deepEqual(claimed(me), []);
    me.wait(1);
    assert.deepEqual(claimed(me), [0, 1]);
  });

  it('kept partitions belong to the member of that name, which claims exactly these partitions', () => {
    const me = new GroupDriver(4);
    me.join([session('B', 1), kept(0, 2, 'me'), kept(1, 3, 'me'), lease(2, 4, 'B'), lease(3, 5, 'B')]);
    assert.deepEqual(claimed(me), [0, 1]);
    assert.equal(me.last('write-lease')[0]?.record.from, null, 'no owner has died');
  });

  it('kept partitions go to a member to which an operator pins them', () => {
    const me = new GroupDriver(2);
    me.join([lease(0, 2, 'ME'), kept(1, 3, 'a')]);
    assert.deepEqual(claimed(me), []);
    const record = { v: 2, pin: 'me', paused: false, by: 'ops', at: '' };
    me.send({ type: 'changes', entries: [{ kind: 'override', partition: 1, revision: 12, record }] });
    assert.deepEqual(claimed(me), [1]);
  });

  it('a reservation is a part of the lease, which is unreadable if the reservation is damaged', () => {
    const record = (kept(0, 2, 'a') as { record: LeaseRecord }).record;
    assert.deepEqual(decodeLease(encodeRecord(record)), record);
    const damaged = { ...record, reserved: { name: 'a', forMs: -1 } };
    assert.equal(decodeLease(encodeRecord(damaged)), undefined);
  });
});
