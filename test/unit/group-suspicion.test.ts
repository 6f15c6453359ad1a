import assert from 'node:assert/strict';
import { SETTINGS } from '../../src/core/config/settings.js';
import { MAX_TTL_MS } from '../../src/core/protocol/timing.js';
import { GroupDriver, session } from '../support/group-driver.js';

/** A member that knows B. B's proof of life is at revision 5. */
function observing(): GroupDriver {
  const me = new GroupDriver();
  me.join([session('B', 1)]);
  me.found('B', 5);
  return me;
}

function probe(me: GroupDriver, outcome: 'alive' | 'no-responders' | 'timeout'): void {
  me.send({ type: 'probed', id: 'B', outcome });
}

const END = { type: 'end-proof', id: 'B', expected: 5 } as const;

describe('suspicion', () => {
  it('a member is fenced after three "no responders" in a row and an unchanged proof of life for its suspectMs', () => {
    const me = observing();
    probe(me, 'no-responders');
    assert.deepEqual(me.last('read-proof'), [{ type: 'read-proof', id: 'B' }]);
    me.found('B', 5);
    me.wait(400);
    probe(me, 'no-responders');
    me.wait(399);
    probe(me, 'no-responders');
    me.wait(1);
    // The member reads the proof of life once more before it acts.
    assert.deepEqual([me.last('read-proof').length, me.last('end-proof')], [1, []]);
    me.found('B', 5);
    assert.deepEqual(me.last('end-proof'), [END]);
    me.send({ type: 'proof-ended', id: 'B', outcome: { kind: 'ok', revision: 30 } });
    assert.deepEqual(me.last('fence-session'), [{ type: 'fence-session', id: 'B', expected: 1 }]);
  });

  it('all members are checked if an observed member has been silent for half of its ttl', () => {
    const me = new GroupDriver();
    me.join(['B', 'C', 'D', 'E', 'F'].map((id, i) => session(id, i + 1)));
    me.found('B', 10);
    me.found('C', 11);
    const looked = (): string[] => me.last('read-proof').map(({ id }) => id);
    me.wait(4_900);
    assert.deepEqual(looked(), ['B', 'C']);
    me.found('B', 10);
    me.found('C', 12);
    me.wait(200);
    assert.deepEqual(looked(), ['D', 'E', 'F']);
  });

  it('a timeout does not count as "no responders"', () => {
    const me = observing();
    for (let i = 0; i < 10; i++) {
      probe(me, i === 5 ? 'timeout' : 'no-responders');
      me.wait(i % 5 === 4 ? 1 : 150);
      me.found('B', 5);
      assert.deepEqual(me.last('end-proof'), []);
    }
  });

  it('a member that renews is not fenced, whatever the probes say', () => {
    const me = observing();
    for (let i = 0; i < 20; i++) {
      probe(me, 'no-responders');
      me.wait(400);
      me.found('B', 6 + i);
      assert.deepEqual(me.last('end-proof'), []);
    }
  });

  it('suspicion counts from the first observation of a renewal', () => {
    const me = observing();
    probe(me, 'no-responders');
    me.wait(400);
    probe(me, 'no-responders');
    me.found('B', 6);
    me.wait(799);
    probe(me, 'no-responders');
    me.found('B', 6);
    assert.deepEqual(me.last('end-proof'), []);
    me.wait(1);
    me.found('B', 6);
    assert.deepEqual(me.last('end-proof'), [{ ...END, expected: 6 }]);
  });

  it('a member sends no probes for a while after its own reconnect', () => {
    const me = observing();
    me.send({ type: 'disconnected' });
    me.now += 2_000;
    me.send({ type: 'connected' });
    me.wait(me.timing.probeHoldMs - 1);
    assert.deepEqual(me.last('probe'), []);
    me.wait(1);
    assert.equal(me.last('probe').length, 1);
  });

  it('the silence of a member counts only while its observer is connected', () => {
    const me = observing();
    me.send({ type: 'disconnected' });
    me.now += 20_000;
    me.send({ type: 'connected' });
    assert.deepEqual(me.last('end-proof'), []);
    assert.equal(me.last('read-proof').length, 1);
    me.found('B', 5);
    me.wait(9_999);
    me.found('B', 5);
    assert.deepEqual(me.last('end-proof'), []);
    me.wait(1);
    me.found('B', 5);
    assert.deepEqual(me.last('end-proof'), [END]);
  });

  it('the longest permitted ttl is the longest ttl that the settings allow', () => {
    const { parse } = SETTINGS.ttlMs;
    assert.deepEqual([parse(`${MAX_TTL_MS}ms`), parse(`${MAX_TTL_MS + 1}ms`)], [MAX_TTL_MS, undefined]);
  });

  it('an unreadable session is fenced only after the longest permitted ttl', () => {
    const me = new GroupDriver();
    me.join([{ kind: 'session', id: 'B', revision: 1, record: 'unreadable' }]);
    me.found('B', 5);
    const from = me.now;
    for (let i = 0; i < 5; i++) {
      me.wait(1_000);
      probe(me, 'no-responders');
      me.found('B', 5);
      assert.deepEqual(me.last('end-proof'), []);
    }
    me.now = from + MAX_TTL_MS - 1;
    me.found('B', 5);
    assert.deepEqual(me.last('end-proof'), []);
    me.wait(1);
    me.found('B', 5);
    assert.deepEqual(me.last('end-proof'), [END]);
  });

  it('no partition is taken from a member that renewed before it could be fenced', () => {
    const me = observing();
    me.wait(10_000);
    me.found('B', 5);
    assert.deepEqual(me.last('end-proof'), [END]);
    me.send({ type: 'proof-ended', id: 'B', outcome: { kind: 'conflict' } });
    assert.deepEqual([me.last('write-lease'), me.last('fence-session')], [[], []]);
    me.found('B', 6);
    me.wait(me.timing.retryMs);
    assert.deepEqual(me.last('end-proof'), []);
  });

  it('a suspicion is reported once, even if the bucket refuses the fence again and again', () => {
    const me = observing();
    const reports = (): number =>
      me.last('report').filter(({ report }) => report.type === 'suspected').length;
    me.wait(10_000);
    me.found('B', 5);
    assert.equal(reports(), 1);
    for (let i = 0; i < 3; i++) {
      me.send({ type: 'proof-ended', id: 'B', outcome: { kind: 'unknown' } });
      me.wait(me.timing.retryMs);
      me.found('B', 5);
      assert.deepEqual([me.last('end-proof').length, reports()], [1, 0]);
    }
    // The peer has renewed, and is silent again: a new suspicion.
    me.send({ type: 'proof-ended', id: 'B', outcome: { kind: 'conflict' } });
    me.found('B', 6);
    me.wait(10_000);
    me.found('B', 6);
    assert.equal(reports(), 1);
  });

  it('a suspicion is reported for a member that died before its first renewal', () => {
    const me = new GroupDriver();
    me.join([session('B', 1)]);
    me.found('B', 0);
    me.wait(10_000);
    me.found('B', 0);
    const reports = me.last('report').filter(({ report }) => report.type === 'suspected');
    assert.equal(reports.length, 1);
  });

  it('a member does not complete a fencing if the proof of life exists again, because the bucket was restored', () => {
    const me = observing();
    me.wait(3_400);
    // This answer may come from a server that has not seen the restored bucket.
    me.found('B', 20, true);
    me.wait(me.timing.suspectMs);
    assert.equal(me.last('end-proof').length, 1);
    me.send({ type: 'proof-ended', id: 'B', outcome: { kind: 'conflict' } });
    assert.deepEqual(me.last('fence-session'), []);
    me.found('B', 12);
    me.wait(me.timing.suspectMs);
    assert.deepEqual([me.last('end-proof'), me.last('fence-session')], [[], []]);
  });

  it('a member completes a fencing by another member only when the fenced handlers must have stopped', () => {
    const me = observing();
    me.wait(3_400);
    // An operator may have deleted the proof of life. Operators do not wait before that, unlike members.
    me.found('B', 20, true);
    me.wait(799);
    assert.deepEqual([me.last('end-proof'), me.last('fence-session')], [[], []]);
    me.wait(1);
    assert.deepEqual(me.last('end-proof'), [{ ...END, expected: 20 }]);
    me.send({ type: 'proof-ended', id: 'B', outcome: { kind: 'ok', revision: 21 } });
    assert.deepEqual(me.last('fence-session'), [{ type: 'fence-session', id: 'B', expected: 1 }]);
    me.send({ type: 'session-fenced', id: 'B', outcome: { kind: 'ok', revision: 21 } });
    assert.ok(me.last('report').some(({ report }) => report.type === 'member-left' && report.how === 'dead'));
  });

  it('a member observes the next two members in the ring, and more members if one of these two is doubtful', () => {
    const me = new GroupDriver();
    me.join(['A', 'B', 'N', 'O', 'P', 'Q'].map((id, i) => session(id, i + 1)));
    const probed = (): string[] => me.last('probe').map(({ id }) => id);
    me.send({ type: 'probed', id: 'N', outcome: 'alive' });
    me.send({ type: 'probed', id: 'O', outcome: 'timeout' });
    assert.deepEqual(probed(), ['P']);
    me.send({ type: 'probed', id: 'P', outcome: 'no-responders' });
    assert.deepEqual(probed(), ['Q']);
    me.send({ type: 'probed', id: 'Q', outcome: 'no-responders' });
    assert.deepEqual(probed(), ['A']);
    me.send({ type: 'probed', id: 'A', outcome: 'alive' });
    assert.deepEqual(probed(), []);
    me.wait(400);
    assert.deepEqual(probed(), ['N', 'O', 'P', 'Q', 'A']);
  });
});
