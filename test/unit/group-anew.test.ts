import assert from 'node:assert/strict';
import { HighWater } from '../../src/core/member/engine/high-water.js';
import type { Bucket, WriteOutcome } from '../../src/core/ports/index.js';
import { GroupDriver, lease, leaseRecord, session } from '../support/group-driver.js';
import { ManualClock } from '../support/manual-clock.js';

/** A member that owns partition 0 of two at revision 30, beside OTHER, who owns the other one. */
function beside(): GroupDriver {
  const me = new GroupDriver(2);
  me.join([session('OTHER', 20), lease(0, 30, 'ME'), lease(1, 31, 'OTHER')]);
  return me;
}

describe('a member of a bucket that goes back', () => {
  it('begins anew when the leader has nothing of its session, and claims nothing for a ttl', () => {
    const me = beside();
    me.send({ type: 'session-read', id: 'ME', outcome: { kind: 'vanished' } });
    assert.deepEqual(me.last('abort-partition'), [
      { type: 'abort-partition', partition: 0, epoch: 30, reason: 'went-back' },
    ]);
    assert.deepEqual(me.last('begin-anew'), [{ type: 'begin-anew', owned: [0] }]);
    assert.equal(me.last('identify').length, 1);
    me.send({ type: 'identified', id: 'AGAIN' });
    me.send({ type: 'snapshot', entries: [] });
    me.renewed(me.now, { kind: 'ok', revision: 2 });
    me.send({ type: 'session-written', id: 'AGAIN', outcome: { kind: 'ok', revision: 3 } });
    me.wait(me.timing.settleMs);
    assert.deepEqual(me.last('write-lease'), []);
    me.wait(me.timing.ttlMs / 2);
    assert.deepEqual(me.last('write-lease'), []);
    me.renewed(me.now, { kind: 'ok', revision: 4 });
    me.wait(me.timing.ttlMs / 2);
    assert.deepEqual(
      me.last('write-lease').map(({ partition, expected }) => [partition, expected]),
      [
        [0, 0],
        [1, 0],
      ],
    );
  });

  it('begins anew when a write is acknowledged with a revision that had passed', () => {
    const me = beside();
    me.send({ type: 'went-back' });
    assert.equal(me.last('begin-anew').length, 1);
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
  });

  it('gives up an own lease that the leader does not have, and claims it again', () => {
    const me = beside();
    me.send({ type: 'lease-looked-up', partition: 0, known: 30, entry: null });
    assert.equal(me.last('abort-partition')[0]?.reason, 'went-back');
    assert.equal(me.last('write-lease')[0]?.expected, 0);
  });

  it('does not believe an answer about a lease that was asked for before a newer one was seen', () => {
    const me = beside();
    me.send({ type: 'changes', entries: [lease(0, 40, 'ME')] });
    me.send({ type: 'lease-looked-up', partition: 0, known: 30, entry: null });
    assert.deepEqual(me.last('write-lease'), []);
  });

  it('looks at each of its leases in turns', () => {
    const me = new GroupDriver(6);
    me.join(Array.from({ length: 6 }, (_, partition) => lease(partition, 30 + partition, 'ME')));
    const asked = new Set<number>();
    for (let i = 0; i < 2; i++) {
      me.renewed(me.now, { kind: 'ok', revision: 50 + i });
      me.wait(me.timing.ttlMs / 3);
      for (const { partition } of me.last('look-up-lease')) asked.add(partition);
    }
    assert.equal(asked.size, 6);
  });

  it('asks for a lease that a write conflicts with', () => {
    const me = new GroupDriver(1);
    me.join();
    assert.equal(me.last('write-lease').length, 1);
    const outcome = { kind: 'conflict' } as const;
    me.send({ type: 'lease-written', partition: 0, expected: 0, record: leaseRecord('ME'), outcome });
    assert.deepEqual(me.last('look-up-lease'), [{ type: 'look-up-lease', partition: 0, known: 0 }]);
  });

  it('holds its claims when a snapshot lacks a session that it knew', () => {
    const me = beside();
    me.send({ type: 'snapshot', entries: [lease(0, 30, 'ME'), lease(1, 31, 'OTHER'), session('ME', 10)] });
    assert.deepEqual(me.last('write-lease'), []);
    me.wait(me.timing.ttlMs);
    assert.deepEqual(me.last('write-lease'), []);
  });

  it('takes a dead member whose session is missing at the leader for gone', () => {
    const me = beside();
    me.send({ type: 'session-fenced', id: 'OTHER', outcome: { kind: 'conflict' } });
    assert.equal(me.last('look-up-session').length, 1);
    me.send({ type: 'session-looked-up', id: 'OTHER', found: { kind: 'found', entry: null } });
    assert.equal(me.last('write-lease')[0]?.expected, 31);
  });
});

describe('the high water of a bucket', () => {
  const acknowledging = (outcome: () => WriteOutcome): { water: HighWater; alarms: () => number } => {
    let alarms = 0;
    const bucket: Bucket = {
      read: () => Promise.resolve({ kind: 'missing' }),
      write: () => Promise.resolve(outcome()),
      remove: () => Promise.resolve(outcome()),
      watch: () => ({ stop: () => {} }),
    };
    return {
      water: new HighWater(bucket, new ManualClock(), () => {
        alarms++;
      }),
      alarms: () => alarms,
    };
  };
  const NOTHING = new Uint8Array(0);

  it('takes an acknowledgement that is not above what was seen before for another bucket', async () => {
    let revision = 10;
    const { water, alarms } = acknowledging(() => ({ kind: 'ok', revision }));
    assert.deepEqual(await water.write('a', NOTHING, 0), { kind: 'ok', revision: 10 });
    assert.equal((await water.write('a', NOTHING, 0)).kind, 'unknown');
    assert.equal(alarms(), 1);
    water.forget();
    revision = 4;
    assert.deepEqual(await water.write('a', NOTHING, 0), { kind: 'ok', revision: 4 });
  });

  it('lets acknowledgements come in another order than the writes were sent', async () => {
    let revision = 12;
    const { water, alarms } = acknowledging(() => ({ kind: 'ok', revision: revision-- }));
    await Promise.all([water.write('a', NOTHING, 0), water.write('b', NOTHING, 0)]);
    assert.equal(alarms(), 0);
  });
});
