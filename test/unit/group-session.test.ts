import assert from 'node:assert/strict';
import { GroupDriver, gone } from '../support/group-driver.js';

/** A member that has joined, at the moment when it sends its next renewal. */
function renewing(): GroupDriver {
  const me = new GroupDriver();
  me.join();
  me.wait(me.timing.renewEveryMs * 1.1);
  assert.equal(me.last('write-session').length, 1);
  return me;
}

describe('the own session', () => {
  it('may handle until its deadline only, counted from the sending of its last certain renewal', () => {
    const me = renewing();
    const sentAt = me.now;
    me.now += 1_500;
    me.send({ type: 'session-written', id: 'ME', sentAt, outcome: { kind: 'ok', revision: 11 } });
    for (let i = 0; i < 40; i++) {
      me.now += 300;
      me.send({ type: 'heard', sentAt: me.now });
    }
    assert.ok(me.permit <= sentAt + me.timing.ttlMs - me.timing.marginMs);
  });

  it('counts from the first of several renewals of unknown outcome', () => {
    const me = renewing();
    const first = me.now;
    me.now += 2_000;
    me.send({ type: 'session-written', id: 'ME', sentAt: first, outcome: { kind: 'unknown' } });
    me.wait(me.timing.retryMs);
    const second = me.now;
    assert.equal(me.last('write-session').length, 1);
    me.send({ type: 'session-written', id: 'ME', sentAt: second, outcome: { kind: 'conflict' } });
    me.send({ type: 'session-read', id: 'ME', sentAt: second, outcome: { kind: 'ok', revision: 11 } });
    for (let i = 0; i < 40; i++) {
      me.now += 300;
      me.send({ type: 'heard', sentAt: me.now });
    }
    assert.ok(me.permit <= first + me.timing.ttlMs - me.timing.marginMs);
  });

  it('goes on at the revision that a read finds after a conflict of a renewal that was applied', () => {
    const me = renewing();
    me.send({ type: 'session-written', id: 'ME', sentAt: me.now, outcome: { kind: 'conflict' } });
    assert.equal(me.last('read-session').length, 1);
    me.send({ type: 'session-read', id: 'ME', sentAt: me.now, outcome: { kind: 'ok', revision: 11 } });
    me.wait(me.timing.renewEveryMs * 1.1);
    assert.equal(me.last('write-session')[0]?.expected, 11);
  });

  it('takes a new identity when it was fenced before it knew that it had been created', () => {
    const me = new GroupDriver();
    me.send({ type: 'connected' });
    me.send({ type: 'identified', id: 'ME' });
    me.send({ type: 'snapshot', entries: [] });
    me.send({ type: 'session-written', id: 'ME', sentAt: me.now, outcome: { kind: 'unknown' } });
    me.wait(me.timing.retryMs);
    me.send({ type: 'session-written', id: 'ME', sentAt: me.now, outcome: { kind: 'conflict' } });
    me.send({ type: 'session-read', id: 'ME', sentAt: me.now, outcome: { kind: 'ok', revision: null } });
    assert.equal(me.last('identify').length, 1);
    me.send({ type: 'identified', id: 'ME2' });
    assert.equal(me.last('write-session')[0]?.id, 'ME2');
  });

  it('is in touch after a reconnect only when a renewal is certain', () => {
    const me = renewing();
    me.send({ type: 'session-written', id: 'ME', sentAt: me.now, outcome: { kind: 'ok', revision: 11 } });
    me.now += 300;
    me.send({ type: 'disconnected' });
    me.now += 2_000;
    // A question that was asked while the connection was down, and kept by the client until it was up again.
    const keptSince = me.now - 50;
    me.send({ type: 'connected' });
    const renewalSentAt = me.now;
    assert.equal(me.last('write-session').length, 1);
    me.now += 10;
    me.send({ type: 'session-read', id: 'ME', sentAt: keptSince, outcome: { kind: 'ok', revision: 11 } });
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
    me.send({ type: 'session-read', id: 'ME', sentAt: me.now, outcome: { kind: 'ok', revision: 11 } });
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
    me.send({
      type: 'session-written',
      id: 'ME',
      sentAt: renewalSentAt,
      outcome: { kind: 'ok', revision: 12 },
    });
    assert.ok(me.permit > me.now);
  });

  it('aborts everything and joins anew when the watch shows that it was fenced', () => {
    const me = new GroupDriver(1);
    me.join();
    const [claim] = me.last('write-lease');
    assert.ok(claim);
    const record = { ...claim.record, at: '' };
    me.send({
      type: 'lease-written',
      partition: 0,
      expected: 0,
      record,
      outcome: { kind: 'ok', revision: 20 },
    });
    assert.equal(me.last('start-partition').length, 1);
    me.send({ type: 'changes', entries: [gone('ME', 21)] });
    assert.equal(me.last('abort-partition')[0]?.epoch, 20);
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
    assert.equal(me.last('identify').length, 1);
  });
});
