import assert from 'node:assert/strict';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import { GroupDriver, gone, session } from '../support/group-driver.js';

/** A member that has joined and is just sending its next renewal. */
function renewing(): GroupDriver {
  const me = new GroupDriver(1);
  me.join();
  me.wait(me.timing.renewEveryMs);
  assert.equal(me.last('write-proof').length, 1);
  return me;
}

describe('the session of a member', () => {
  it('a session permits handling only within the grace, counted from the sending of the last confirmed renewal', () => {
    const me = renewing();
    const sentAt = me.now;
    me.now += 200;
    me.renewed(sentAt, { kind: 'ok', revision: 11 });
    assert.equal(me.permit, sentAt + me.timing.graceMs);
  });

  it('a session aborts the partitions at the deadline, and continues after a late renewal', () => {
    const me = renewing();
    const { ttlMs, marginMs } = me.timing;
    const record = { v: 2, owner: 'ME', name: 'me', reason: 'claim', from: null, at: '' } as const;
    me.send({ type: 'changes', entries: [{ kind: 'lease', partition: 0, revision: 20, record }] });
    const sentAt = me.now;
    me.renewed(sentAt, { kind: 'ok', revision: 21 });
    me.wait(ttlMs - marginMs - 1);
    assert.deepEqual(me.last('abort-partition'), []);
    me.wait(1);
    assert.equal(me.last('abort-partition')[0]?.reason, 'deadline');
    me.renewed(me.now, { kind: 'ok', revision: 22 });
    assert.equal(me.last('start-partition')[0]?.epoch, 20);
  });

  it('the grace counts from the first of several renewals of unknown outcome', () => {
    const me = renewing();
    const first = me.now;
    me.now += 300;
    me.renewed(first, { kind: 'unknown' });
    const second = me.now;
    assert.equal(me.last('write-proof').length, 1);
    me.now += 100;
    me.renewed(second, { kind: 'conflict' });
    me.found('ME', 11);
    assert.equal(me.permit, first + me.timing.graceMs);
  });

  it('if a renewal meets a conflict although it was applied, the next renewal expects the revision that a read finds', () => {
    const me = renewing();
    me.renewed(me.now, { kind: 'conflict' });
    assert.equal(me.last('read-proof').length, 1);
    me.found('ME', 11);
    me.wait(me.timing.renewEveryMs * 1.1);
    assert.equal(me.last('write-proof')[0]?.expected, 11);
  });

  it('a read does not count as contact, because a leader that is cut off answers too', () => {
    const me = renewing();
    const { permit } = me;
    me.renewed(me.now, { kind: 'conflict' });
    me.now += 100;
    me.found('ME', 9);
    assert.equal(me.permit, permit);
  });

  it('a session is written after the first snapshot, and only after its proof of life', () => {
    const me = new GroupDriver();
    me.send({ type: 'connected' });
    me.send({ type: 'identified', id: 'ME' });
    assert.deepEqual(me.last('write-proof'), []);
    me.send({ type: 'snapshot', entries: [] });
    assert.deepEqual([me.last('write-proof').length, me.last('write-session')], [1, []]);
    me.renewed(me.now, { kind: 'ok', revision: 9 });
    assert.equal(me.last('write-session')[0]?.expected, 0);
  });

  it('a member takes a new identity if its session was fenced before its creation was confirmed', () => {
    const me = new GroupDriver();
    me.send({ type: 'connected' });
    me.send({ type: 'identified', id: 'ME' });
    me.send({ type: 'snapshot', entries: [] });
    const sentAt = me.now;
    me.wait(me.timing.graceMs);
    me.renewed(sentAt, { kind: 'unknown' });
    me.renewed(me.now, { kind: 'conflict' });
    me.found('ME', 12, true);
    assert.equal(me.last('identify').length, 1);
    me.send({ type: 'identified', id: 'ME2' });
    assert.equal(me.last('write-proof')[0]?.id, 'ME2');
  });

  it('a session permits handling after a reconnect only after a confirmed renewal', () => {
    const me = renewing();
    me.renewed(me.now, { kind: 'ok', revision: 11 });
    me.send({ type: 'disconnected' });
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
    me.now += 1;
    me.send({ type: 'connected' });
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
    assert.equal(me.last('write-proof').length, 1);
    me.renewed(me.now, { kind: 'ok', revision: 12 });
    assert.ok(me.permit > me.now);
  });

  it('a member aborts everything and joins again when the watch shows that it was fenced', () => {
    const me = owning();
    me.send({ type: 'changes', entries: [gone('ME', 21)] });
    assert.equal(me.last('abort-partition')[0]?.epoch, 20);
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
    assert.equal(me.last('identify').length, 1);
  });

  it('a session without its proof of life is left for other members to delete, because its handlers need time to stop', () => {
    const me = owning();
    me.wait(me.timing.renewEveryMs);
    me.renewed(me.now, { kind: 'conflict' });
    me.found('ME', 30, true);
    assert.equal(me.last('abort-partition')[0]?.epoch, 20);
    assert.deepEqual(me.last('fence-session'), []);
    assert.equal(me.last('identify').length, 1);
  });

  it('a session is removed by the next session if the only member was fenced halfway', () => {
    const me = new GroupDriver(0);
    me.join();
    me.wait(me.timing.renewEveryMs);
    me.renewed(me.now, { kind: 'conflict' });
    me.found('ME', 30, true);
    me.send({ type: 'identified', id: 'NEXT' });
    me.renewed(me.now, { kind: 'ok', revision: 31 });
    me.send({ type: 'session-written', id: 'NEXT', outcome: { kind: 'ok', revision: 32 } });
    me.wait(me.timing.settleMs);
    assert.equal(me.last('look-up-session')[0]?.id, 'ME');
    me.send({ type: 'session-looked-up', id: 'ME', found: { kind: 'found', entry: session('ME', 10) } });
    assert.equal(me.last('read-proof')[0]?.id, 'ME');
    me.found('ME', 30, true);
    me.wait(me.timing.suspectMs - 1);
    assert.deepEqual([me.last('end-proof'), me.last('fence-session')], [[], []]);
    me.wait(1);
    assert.deepEqual(me.last('end-proof'), [{ type: 'end-proof', id: 'ME', expected: 30 }]);
    me.send({ type: 'proof-ended', id: 'ME', outcome: { kind: 'ok', revision: 33 } });
    assert.deepEqual(me.last('fence-session'), [{ type: 'fence-session', id: 'ME', expected: 10 }]);
  });

  it('a session is marked and then removed with its proof of life when a member that owns nothing leaves', () => {
    const me = leaving();
    assert.deepEqual(me.last('write-session'), [
      { type: 'write-session', id: 'ME', expected: 10, leaving: true, gaveUp: null },
    ]);
    assert.deepEqual(me.last('remove-session'), []);
    me.send({ type: 'session-written', id: 'ME', outcome: { kind: 'ok', revision: 20 } });
    assert.deepEqual(me.last('remove-session'), [
      { type: 'remove-session', id: 'ME', expected: 20, proof: 9 },
    ]);
    me.send({ type: 'session-removed', id: 'ME', outcome: { kind: 'ok', revision: 30 } });
    assert.equal(me.last('left').length, 1);
  });

  it('a session is removed without the mark if the mark cannot be written', () => {
    const me = leaving();
    me.send({ type: 'session-written', id: 'ME', outcome: { kind: 'unknown' } });
    me.wait(me.timing.retryMs);
    assert.equal(me.last('remove-session').length, 1);
  });
});

describe('the session of another member', () => {
  const endOf = (entries: readonly ViewEntry[]) => {
    const me = new GroupDriver(0);
    me.join([session('B', 1)]);
    me.send({ type: 'changes', entries: [...entries] });
    return me.last('report').map(({ report }) => (report.type === 'member-left' ? report.how : report.type));
  };

  it('a marked session ends by leaving', () => {
    assert.deepEqual(endOf([session('B', 20, { leaving: true }), gone('B', 21)]), ['left']);
  });

  it('an unmarked session ends by death, also for a member that does not probe it', () => {
    assert.deepEqual(endOf([gone('B', 21)]), ['dead']);
  });
});

function leaving(): GroupDriver {
  const me = new GroupDriver(0);
  me.join([session('B', 1)]);
  me.send({ type: 'leave' });
  return me;
}

function owning(): GroupDriver {
  const me = new GroupDriver(1);
  me.join();
  const [claim] = me.last('write-lease');
  assert.ok(claim);
  const record = { ...claim.record, at: '' };
  const outcome = { kind: 'ok', revision: 20 } as const;
  me.send({ type: 'lease-written', partition: 0, expected: 0, record, outcome });
  assert.equal(me.last('start-partition').length, 1);
  return me;
}
