import assert from 'node:assert/strict';
import { HighWater } from '../../src/core/member/engine/high-water.js';
import type { Bucket, WriteOutcome } from '../../src/core/ports/index.js';
import { GroupDriver, gone, lease, leaseRecord, session } from '../support/group-driver.js';
import { ManualClock } from '../support/manual-clock.js';

/** A member that owns partition 0 of two at revision 30. OTHER owns partition 1. */
function beside(): GroupDriver {
  const me = new GroupDriver(2);
  me.join([session('OTHER', 20), lease(0, 30, 'ME'), lease(1, 31, 'OTHER')]);
  return me;
}

/** The known revisions with which the last event caused reads of this partition's lease. */
function readLeases(me: GroupDriver, partition: number): number[] {
  return me.last('look-up-lease').flatMap((each) => (each.partition === partition ? [each.known] : []));
}

describe('a member whose bucket returns to an older state', () => {
  it('a member starts over if the leader does not have its session, and then claims nothing for a ttl', () => {
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

  for (const [owner, isDeath] of [
    ['ME', false],
    ['FORMER', false],
    ['STRANGER', true],
  ] as const)
    it(`a member counts ${isDeath ? 'a' : 'no'} death when it claims a partition of ${owner}, if OTHER has replaced its session FORMER`, () => {
      const me = beside();
      me.send({ type: 'went-back' });
      me.send({ type: 'identified', id: 'AGAIN' });
      const other = session('OTHER', 20, { gaveUp: 'FORMER' });
      me.send({ type: 'snapshot', entries: [other, lease(0, 6, owner), lease(1, 7, 'OTHER')] });
      me.renewed(me.now, { kind: 'ok', revision: 40 });
      assert.equal(me.last('write-session')[0]?.gaveUp, 'ME');
      me.send({ type: 'session-written', id: 'AGAIN', outcome: { kind: 'ok', revision: 41 } });
      me.send({ type: 'changes', entries: [gone(owner, 44)] });
      const claims: (string | null)[] = [];
      const note = () => claims.push(...me.last('write-lease').map(({ record }) => record.from));
      for (const revision of [51, 52, 53]) {
        me.wait(me.timing.ttlMs / 2);
        note();
        me.renewed(me.now, { kind: 'ok', revision });
        note();
      }
      assert.equal(claims.length, 1);
      assert.equal(claims[0] !== null, isDeath);
    });

  it('a member starts over if a write is acknowledged with a revision below the newest that it has seen', () => {
    const me = beside();
    me.send({ type: 'went-back' });
    assert.equal(me.last('begin-anew').length, 1);
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
  });

  it('a member gives up a lease that the leader does not have, writes the position back, and claims the lease again', () => {
    const me = beside();
    me.send({ type: 'lease-looked-up', partition: 0, known: 30, entry: null });
    assert.equal(me.last('abort-partition')[0]?.reason, 'went-back');
    assert.deepEqual(me.last('restore-position'), [{ type: 'restore-position', partition: 0 }]);
    assert.equal(me.last('write-lease')[0]?.expected, 0);
  });

  it('a member claims nothing for a ttl if a snapshot lacks a lease that it knew, because an owner may not know of the loss', () => {
    const me = new GroupDriver(2);
    me.join([session('OTHER', 20), lease(0, 30, 'STRANGER'), lease(1, 31, 'OTHER')]);
    const claims: number[][] = [];
    const note = () =>
      claims.push(...me.last('write-lease').map(({ partition, expected }) => [partition, expected]));
    me.send({ type: 'snapshot', entries: [session('ME', 10), session('OTHER', 40), lease(1, 31, 'OTHER')] });
    note();
    const lostAt = me.now;
    for (let revision = 50; claims.length === 0 && revision < 90; revision++) {
      me.renewed(me.now, { kind: 'ok', revision });
      note();
      me.wait(me.timing.ttlMs / 10);
      note();
    }
    assert.deepEqual(claims, [[0, 0]]);
    assert.ok(me.now - lostAt >= me.timing.ttlMs, `claimed after ${me.now - lostAt} ms`);
  });

  it('if a leader returns a lease at an older revision, a member reads the lease again until its revision is as new as before', () => {
    const me = new GroupDriver(14);
    const others = Array.from({ length: 13 }, (_, partition) => lease(partition, 50 + partition, 'OTHER'));
    me.join([session('OTHER', 20), ...others, lease(13, 30, 'ME')]);
    me.send({ type: 'changes', entries: [lease(13, 70, 'ME')] });
    // A leader that is cut off has missed the handover.
    me.send({ type: 'lease-looked-up', partition: 13, known: 70, entry: lease(13, 30, 'OTHER') });
    assert.equal(me.last('abort-partition')[0]?.reason, 'went-back');
    me.renewed(me.now, { kind: 'ok', revision: 80 });
    me.wait(me.timing.ttlMs / 3);
    // The lease does not wait for its turn among the many leases of other members.
    assert.deepEqual(readLeases(me, 13), [30]);
    me.send({ type: 'lease-looked-up', partition: 13, known: 30, entry: lease(13, 70, 'ME') });
    assert.deepEqual(
      me.last('start-partition').map(({ partition, epoch }) => [partition, epoch]),
      [[13, 70]],
    );
    me.renewed(me.now, { kind: 'ok', revision: 81 });
    me.wait(me.timing.ttlMs / 3);
    assert.deepEqual(readLeases(me, 13), [70]);
  });

  it('a member resumes a paused partition if the leader does not know the pause at two reads with a renewal between them', () => {
    const me = beside();
    const paused = { v: 2, pin: null, paused: true, by: 'operator', at: '' } as const;
    const pause = { kind: 'override', partition: 0, revision: 40, record: paused } as const;
    me.send({ type: 'changes', entries: [pause] });
    me.send({ type: 'partition-drained', partition: 0, epoch: 30 });
    const look = (revision: number, entry: typeof pause | null) => {
      me.wait(1);
      me.renewed(me.now, { kind: 'ok', revision });
      me.wait(me.timing.ttlMs / 3);
      assert.deepEqual(me.last('look-up-override'), [{ type: 'look-up-override', partition: 0, known: 40 }]);
      me.send({ type: 'override-looked-up', partition: 0, known: 40, entry });
      return me.last('start-partition').map(({ partition, epoch }) => [partition, epoch]);
    };
    assert.deepEqual(look(50, null), []);
    // No renewal was confirmed since the previous answer. So this answer, too, can come from the leader that is cut off.
    me.send({ type: 'override-looked-up', partition: 0, known: 40, entry: null });
    assert.deepEqual(me.last('start-partition'), []);
    // A leader that knows the pause ends the doubt.
    assert.deepEqual(look(51, pause), []);
    assert.deepEqual(look(52, null), []);
    assert.deepEqual(look(53, null), [[0, 30]]);
    // The member keeps checking the pause. If a leader knows it after all, the partition is paused.
    me.send({ type: 'override-looked-up', partition: 0, known: 0, entry: pause });
    assert.equal(me.last('drain-partition').length, 1);
  });

  it('a member resumes a paused partition if the pause is missing in a snapshot', () => {
    const me = beside();
    const paused = { v: 2, pin: null, paused: true, by: 'operator', at: '' } as const;
    me.send({ type: 'changes', entries: [{ kind: 'override', partition: 0, revision: 40, record: paused }] });
    me.send({ type: 'partition-drained', partition: 0, epoch: 30 });
    const entries = [session('OTHER', 20), session('ME', 10), lease(0, 30, 'ME'), lease(1, 41, 'OTHER')];
    me.send({ type: 'snapshot', entries });
    assert.deepEqual(
      me.last('start-partition').map(({ partition, epoch }) => [partition, epoch]),
      [[0, 30]],
    );
  });

  it('a member ignores an answer about a pause if a newer revision was seen after the request', () => {
    const me = beside();
    const paused = { v: 2, pin: null, paused: true, by: 'operator', at: '' } as const;
    const pause = { kind: 'override', partition: 0, revision: 40, record: paused } as const;
    me.send({ type: 'changes', entries: [pause] });
    me.send({ type: 'partition-drained', partition: 0, epoch: 30 });
    me.send({ type: 'override-looked-up', partition: 0, known: 0, entry: null });
    assert.deepEqual(me.last('start-partition'), []);
  });

  it('a member checks a lease that it gave away, and writes it again unchanged if it is missing', () => {
    const me = beside();
    const given = { ...leaseRecord('OTHER'), from: 'me', reason: 'handover' } as const;
    me.send({ type: 'changes', entries: [{ kind: 'lease', partition: 0, revision: 40, record: given }] });
    me.renewed(me.now, { kind: 'ok', revision: 50 });
    me.wait(me.timing.ttlMs / 3);
    assert.deepEqual(readLeases(me, 0), [40]);
    me.send({ type: 'lease-looked-up', partition: 0, known: 40, entry: null });
    const { at: _, ...record } = given;
    assert.deepEqual(me.last('write-lease'), [{ type: 'write-lease', partition: 0, expected: 0, record }]);
    // An entry that exists again is not lost, whichever member wrote it.
    me.send({ type: 'changes', entries: [lease(0, 60, 'OTHER')] });
    me.wait(me.timing.retryMs);
    assert.deepEqual(me.last('write-lease'), []);
  });

  it('a member does not write a lost lease again for an owner that has ended, because another member may have claimed it since', () => {
    const me = beside();
    const given = { ...leaseRecord('OTHER'), from: 'me', reason: 'handover' } as const;
    me.send({ type: 'changes', entries: [{ kind: 'lease', partition: 0, revision: 40, record: given }] });
    me.renewed(me.now, { kind: 'ok', revision: 50 });
    me.send({ type: 'lease-looked-up', partition: 0, known: 40, entry: null });
    const [write] = me.last('write-lease');
    assert.equal(write?.record.owner, 'OTHER');
    me.send({ ...write, record: given, type: 'lease-written', outcome: { kind: 'unknown' } });
    me.send({ type: 'changes', entries: [gone('OTHER', 51)] });
    me.wait(me.timing.retryMs);
    assert.deepEqual(me.last('write-lease'), []);
  });

  it('a member writes a lost lease again only if it gave the lease away', () => {
    for (const [reason, writes] of [
      ['handover', 1],
      // The new owner claimed the partition from an earlier session of this member. It named that session as the dead owner.
      ['claim', 0],
    ] as const) {
      const me = beside();
      const given = { ...leaseRecord('OTHER'), from: 'me', reason };
      me.send({ type: 'changes', entries: [{ kind: 'lease', partition: 0, revision: 40, record: given }] });
      me.renewed(me.now, { kind: 'ok', revision: 50 });
      me.send({ type: 'lease-looked-up', partition: 0, known: 40, entry: null });
      assert.equal(me.last('write-lease').length, writes, reason);
    }
  });

  it('a member does not write a lost lease again for a session that was fenced', () => {
    const me = beside();
    me.send({ type: 'lease-looked-up', partition: 0, known: 30, entry: null });
    const [write] = me.last('write-lease');
    assert.equal(write?.record.owner, 'ME');
    me.send({ ...write, record: leaseRecord('ME'), type: 'lease-written', outcome: { kind: 'unknown' } });
    me.send({ type: 'changes', entries: [gone('ME', 40)] });
    me.send({ type: 'identified', id: 'AGAIN' });
    me.renewed(me.now, { kind: 'ok', revision: 41 });
    me.send({ type: 'session-written', id: 'AGAIN', outcome: { kind: 'ok', revision: 42 } });
    const owners: (string | null)[] = [];
    const note = () => owners.push(...me.last('write-lease').map(({ record }) => record.owner));
    for (let revision = 43; revision < 60; revision++) {
      me.wait(me.timing.ttlMs / 10);
      note();
      me.renewed(me.now, { kind: 'ok', revision });
      note();
    }
    // After the ttl without claims, the partition is claimed like any other.
    assert.deepEqual([...new Set(owners)], ['AGAIN']);
  });

  it('a member ignores an answer about a lease if a newer revision was seen after the request', () => {
    const me = beside();
    me.send({ type: 'changes', entries: [lease(0, 40, 'ME')] });
    me.send({ type: 'lease-looked-up', partition: 0, known: 30, entry: null });
    assert.deepEqual(me.last('write-lease'), []);
  });

  it('a member checks its leases in rotation', () => {
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

  it('a member also checks the leases of other members in rotation', () => {
    const me = new GroupDriver(10);
    me.join([
      session('OTHER', 20),
      ...Array.from({ length: 10 }, (_, p) => lease(p, 30 + p, p < 5 ? 'ME' : 'OTHER')),
    ]);
    const asked = new Set<number>();
    for (let i = 0; i < 3; i++) {
      me.renewed(me.now, { kind: 'ok', revision: 50 + i });
      me.wait(me.timing.ttlMs / 3);
      for (const { partition } of me.last('look-up-lease')) asked.add(partition);
    }
    assert.equal(asked.size, 10);
  });

  it('a member checks other sessions in rotation, and observes a member whose session is missing', () => {
    const me = new GroupDriver(1);
    const ids = ['P', 'Q', 'R', 'S', 'T', 'U'];
    me.join(ids.map((id, i) => session(id, 20 + i)));
    const asked: string[] = [];
    for (let i = 0; i < 2; i++) {
      me.renewed(me.now, { kind: 'ok', revision: 50 + i });
      me.wait(me.timing.ttlMs / 3);
      asked.push(...me.last('look-up-session').map(({ id }) => id));
    }
    assert.deepEqual(new Set(asked), new Set(ids));
    me.send({ type: 'session-looked-up', id: 'T', found: { kind: 'missing', proof: 30, ended: false } });
    assert.deepEqual(me.last('read-proof'), [{ type: 'read-proof', id: 'T' }]);
  });

  it('a member reads a lease after a conflicting write', () => {
    const me = new GroupDriver(1);
    me.join();
    assert.equal(me.last('write-lease').length, 1);
    const outcome = { kind: 'conflict' } as const;
    me.send({ type: 'lease-written', partition: 0, expected: 0, record: leaseRecord('ME'), outcome });
    assert.deepEqual(me.last('look-up-lease'), [{ type: 'look-up-lease', partition: 0, known: 0 }]);
  });

  it('a member observes another member whose session is missing in a snapshot, and makes its end visible to all members', () => {
    const me = new GroupDriver(2);
    const others = ['O', 'P', 'Q'].map((id, i) => session(id, 20 + i));
    const leases = [lease(0, 30, 'ME'), lease(1, 31, 'Q')];
    me.join([...others, ...leases]);
    me.send({ type: 'snapshot', entries: [...others.slice(0, 2), ...leases, session('ME', 10)] });
    assert.deepEqual(me.last('read-proof'), [{ type: 'read-proof', id: 'Q' }]);
    me.found('Q', 40);
    me.wait(me.timing.ttlMs);
    me.renewed(me.now, { kind: 'ok', revision: 50 });
    me.found('Q', 40);
    assert.deepEqual(me.last('end-proof'), [{ type: 'end-proof', id: 'Q', expected: 40 }]);
    me.send({ type: 'proof-ended', id: 'Q', outcome: { kind: 'ok', revision: 51 } });
    me.send({ type: 'session-fenced', id: 'Q', outcome: { kind: 'conflict' } });
    assert.equal(me.last('look-up-session').length, 1);
    me.send({ type: 'session-looked-up', id: 'Q', found: { kind: 'missing', proof: 51, ended: true } });
    me.wait(me.timing.retryMs);
    // There is not even a deletion marker, so it is written now. Without it, other members would keep planning with the missing member.
    assert.deepEqual(me.last('end-proof'), [{ type: 'end-proof', id: 'Q', expected: 51 }]);
    me.send({ type: 'proof-ended', id: 'Q', outcome: { kind: 'ok', revision: 51 } });
    assert.deepEqual(me.last('fence-session'), [{ type: 'fence-session', id: 'Q', expected: 0 }]);
    assert.deepEqual(me.last('write-lease'), []);
    me.send({ type: 'session-fenced', id: 'Q', outcome: { kind: 'ok', revision: 52 } });
    assert.equal(me.last('report')[0]?.report.type, 'member-left');
  });

  it('a member asks the leader about an unknown owner, regardless of the plan', () => {
    const me = new GroupDriver(2);
    me.join([session('O', 20), lease(0, 30, 'ME'), lease(1, 31, 'Q')]);
    assert.deepEqual(me.last('look-up-session'), [{ type: 'look-up-session', id: 'Q' }]);
    me.send({ type: 'session-looked-up', id: 'Q', found: { kind: 'missing', proof: 51, ended: true } });
    assert.deepEqual(me.last('end-proof'), []);
    me.wait(me.timing.suspectMs);
    me.send({ type: 'session-looked-up', id: 'Q', found: { kind: 'missing', proof: 51, ended: true } });
    assert.deepEqual([me.last('end-proof').length, me.last('fence-session')], [1, []]);
    me.send({ type: 'proof-ended', id: 'Q', outcome: { kind: 'ok', revision: 52 } });
    assert.deepEqual(me.last('fence-session'), [{ type: 'fence-session', id: 'Q', expected: 0 }]);
  });
});

describe('the high-water mark of a bucket', () => {
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

  it('another bucket is recognised by an acknowledged revision that is not higher than an earlier revision', async () => {
    let revision = 10;
    const { water, alarms } = acknowledging(() => ({ kind: 'ok', revision }));
    assert.deepEqual(await water.write('a', NOTHING, 0), { kind: 'ok', revision: 10 });
    assert.equal((await water.write('a', NOTHING, 0)).kind, 'unknown');
    assert.equal(alarms(), 1);
    water.forget();
    revision = 4;
    assert.deepEqual(await water.write('a', NOTHING, 0), { kind: 'ok', revision: 4 });
  });

  it('acknowledgements are accepted in a different order from the writes', async () => {
    let revision = 12;
    const { water, alarms } = acknowledging(() => ({ kind: 'ok', revision: revision-- }));
    await Promise.all([water.write('a', NOTHING, 0), water.write('b', NOTHING, 0)]);
    assert.equal(alarms(), 0);
  });
});
