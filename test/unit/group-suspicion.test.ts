import assert from 'node:assert/strict';
import { MAX_TTL_MS } from '../../src/core/group/timing.js';
import { SETTINGS } from '../../src/core/settings/index.js';
import { GroupDriver, session } from '../support/group-driver.js';

/** A member that knows B, and keeps in touch. */
function observing(): GroupDriver {
  const me = new GroupDriver();
  me.join([session('B', 1)]);
  return me;
}

/** Lets one probe of B end like this, and the time until the next one pass. */
function probe(me: GroupDriver, outcome: 'alive' | 'no-responders' | 'timeout'): void {
  me.send({ type: 'probed', id: 'B', outcome });
}

describe('suspicion', () => {
  it('fences a member after three "no responders" in a row, over its own time', () => {
    const me = observing();
    probe(me, 'no-responders');
    me.wait(400);
    probe(me, 'no-responders');
    me.wait(399);
    probe(me, 'no-responders');
    assert.deepEqual(me.last('fence-session'), []);
    me.wait(1);
    assert.deepEqual(me.last('fence-session'), [{ type: 'fence-session', id: 'B', expected: 1 }]);
  });

  it('takes a timeout for no proof', () => {
    const me = observing();
    for (let i = 0; i < 10; i++) {
      probe(me, i === 5 ? 'timeout' : 'no-responders');
      me.wait(i % 5 === 4 ? 1 : 150);
      assert.deepEqual(me.last('fence-session'), []);
    }
  });

  it('starts to count again when the member has renewed', () => {
    const me = observing();
    probe(me, 'no-responders');
    me.wait(400);
    probe(me, 'no-responders');
    me.send({ type: 'changes', entries: [session('B', 20)] });
    me.wait(400);
    probe(me, 'no-responders');
    me.wait(400);
    assert.deepEqual(me.last('fence-session'), []);
  });

  it('probes nobody for a while after its own reconnect', () => {
    const me = observing();
    me.send({ type: 'disconnected' });
    me.now += 2_000;
    me.send({ type: 'connected' });
    me.wait(me.timing.probeHoldMs - 1);
    assert.deepEqual(me.last('probe'), []);
    me.wait(1);
    assert.equal(me.last('probe').length, 1);
  });

  it('counts the silence of a member only while it is connected itself', () => {
    const me = observing();
    me.send({ type: 'disconnected' });
    me.now += 20_000;
    me.send({ type: 'connected' });
    assert.deepEqual(me.last('fence-session'), []);
    me.send({ type: 'session-written', id: 'ME', sentAt: me.now, outcome: { kind: 'ok', revision: 11 } });
    me.wait(9_999);
    assert.deepEqual(me.last('fence-session'), []);
    me.wait(1);
    assert.equal(me.last('fence-session').length, 1);
  });

  it('knows the longest ttl that the settings allow', () => {
    const { parse } = SETTINGS.ttlMs;
    assert.deepEqual([parse(`${MAX_TTL_MS}ms`), parse(`${MAX_TTL_MS + 1}ms`)], [MAX_TTL_MS, undefined]);
  });

  it('fences a session that it cannot read only after the longest ttl that is permitted', () => {
    const me = new GroupDriver();
    me.join([{ kind: 'session', id: 'B', revision: 1, record: 'unreadable' }]);
    const from = me.now - me.timing.settleMs;
    const fenced = (): number => me.last('fence-session').length;
    // Its own renewals, which may be 20 minutes apart, begin the count anew; "no responders" says nothing.
    for (let i = 0; i < 5; i++) {
      me.wait(1_000);
      probe(me, 'no-responders');
      assert.equal(fenced(), 0);
    }
    me.now = from + MAX_TTL_MS - 1;
    me.send({ type: 'changes', entries: [{ kind: 'session', id: 'B', revision: 20, record: 'unreadable' }] });
    assert.equal(fenced(), 0);
    me.send({ type: 'session-written', id: 'ME', sentAt: me.now, outcome: { kind: 'ok', revision: 21 } });
    me.wait(MAX_TTL_MS - 1);
    assert.equal(fenced(), 0);
    me.wait(1);
    assert.equal(fenced(), 1);
  });

  it('takes nothing from a member that renewed before it could be fenced', () => {
    const me = observing();
    me.send({ type: 'session-written', id: 'ME', sentAt: me.now, outcome: { kind: 'ok', revision: 11 } });
    me.wait(10_000);
    me.send({ type: 'session-fenced', id: 'B', outcome: { kind: 'conflict' } });
    assert.deepEqual(me.last('write-lease'), []);
    me.wait(me.timing.retryMs);
    assert.deepEqual(me.last('fence-session'), []);
  });
});
