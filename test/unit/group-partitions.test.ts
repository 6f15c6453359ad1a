import assert from 'node:assert/strict';
import { GroupDriver, gone, lease, leaseRecord, session } from '../support/group-driver.js';

/** A member with partitions 0 to 3 at epochs 2 to 5. B has joined. The member has just sent its first handover, of partition 0 to B. */
function handingOver(): GroupDriver {
  const me = new GroupDriver();
  me.join([lease(0, 2, 'ME'), lease(1, 3, 'ME'), lease(2, 4, 'ME'), lease(3, 5, 'ME')]);
  me.send({ type: 'changes', entries: [session('B', 11)] });
  me.wait(me.timing.settleMs);
  assert.deepEqual(
    me.last('drain-partition').map(({ partition }) => partition),
    [0, 1],
  );
  me.send({ type: 'partition-drained', partition: 0, epoch: 2 });
  assert.equal(me.last('write-lease')[0]?.record.owner, 'B');
  return me;
}

const unknown = { kind: 'unknown' } as const;

describe('partitions of a member', () => {
  it('partitions are reported as resumed if the member had them last, and as acquired if another member had them', () => {
    const me = new GroupDriver(1);
    me.join([lease(0, 2, 'ME')]);
    const started = (epoch: number): unknown[] => {
      me.send({ type: 'partition-started', partition: 0, epoch });
      return me
        .last('report')
        .map(({ report }) => (report.type === 'acquired' ? [report.epoch, report.again] : report.type));
    };
    assert.deepEqual(started(2), [[2, false]]);
    me.send({ type: 'partition-failed', partition: 0, epoch: 2, message: 'no reader' });
    me.wait(me.timing.retryMs);
    assert.deepEqual(started(2), [[2, true]], 'under the same epoch');
    me.send({ type: 'partition-halted', partition: 0, epoch: 2, message: 'no' });
    me.send({ type: 'retry', partition: 0 });
    assert.deepEqual(
      me.last('start-partition').map(({ partition }) => partition),
      [0],
      'a retry starts a halted partition',
    );
    assert.deepEqual(started(2), [[2, true]]);
    const mine = { ...leaseRecord('ME'), name: 'me', from: 'me' };
    me.send({ type: 'changes', entries: [{ kind: 'lease', partition: 0, revision: 9, record: mine }] });
    assert.deepEqual(started(9), [[9, true]], 'from itself');
    const others = { ...mine, from: 'b' };
    me.send({ type: 'changes', entries: [{ kind: 'lease', partition: 0, revision: 12, record: others }] });
    assert.deepEqual(started(12), [[12, false]], 'from another');
  });

  it('after a reconnect, an orphan is claimed only once a renewal is confirmed: the bucket may be an older copy', () => {
    const me = new GroupDriver(1);
    me.join([session('A', 1), lease(0, 2, 'A')]);
    me.send({ type: 'disconnected' });
    me.now += 1;
    me.send({ type: 'connected' });
    me.send({ type: 'changes', entries: [gone('A', 11)] });
    me.wait(me.timing.settleMs);
    assert.deepEqual(me.last('write-lease'), []);
    me.renewed(me.now, { kind: 'ok', revision: 12 });
    assert.equal(me.last('write-lease')[0]?.expected, 2);
  });

  it('a partition that was handed over to a member that left is claimed, even if the answer arrives after the watch', () => {
    const me = handingOver();
    // B leaves, but the handover to B is applied. The watch shows the handover before the answer arrives.
    me.send({ type: 'changes', entries: [gone('B', 12)] });
    me.send({ type: 'changes', entries: [lease(0, 13, 'B')] });
    assert.deepEqual(me.last('write-lease'), []);
    const outcome = { kind: 'ok', revision: 13 } as const;
    me.send({ type: 'lease-written', partition: 0, expected: 2, record: leaseRecord('B'), outcome });
    const [claim] = me.last('write-lease');
    assert.equal(claim?.expected, 13);
    assert.equal(claim?.record.owner, 'ME');
  });

  it('a partition is claimed from an unknown owner only after the owner is certainly gone', () => {
    const unseen = (): GroupDriver => {
      const me = new GroupDriver(1);
      me.join([session('A', 5), lease(0, 6, 'A')]);
      // A has handed over to X. The server omitted the entry of X.
      me.send({ type: 'changes', entries: [lease(0, 20, 'X'), gone('A', 21)] });
      me.wait(me.timing.settleMs);
      return me;
    };
    const me = unseen();
    assert.deepEqual(me.last('write-lease'), []);
    me.send({ type: 'session-looked-up', id: 'X', found: { kind: 'unknown' } });
    assert.deepEqual([me.last('look-up-session'), me.last('write-lease')], [[], []]);
    me.wait(me.timing.retryMs);
    assert.deepEqual(me.last('look-up-session'), [{ type: 'look-up-session', id: 'X' }]);
    me.send({ type: 'session-looked-up', id: 'X', found: { kind: 'found', entry: null } });
    assert.equal(me.last('write-lease')[0]?.expected, 20);

    // An isolated leader may not know the session yet. So a write decides: it succeeds only if there is no session.
    const third = unseen();
    const missing = { kind: 'missing', proof: 0, ended: false } as const;
    third.send({ type: 'session-looked-up', id: 'X', found: missing });
    assert.deepEqual([third.last('write-lease'), third.last('end-proof')], [[], []]);
    // The member also waits until the unknown owner can no longer handle messages, whatever that owner knows.
    third.wait(third.timing.ttlMs);
    third.renewed(third.now, { kind: 'ok', revision: 30 });
    third.send({ type: 'session-looked-up', id: 'X', found: missing });
    assert.deepEqual(third.last('end-proof'), [{ type: 'end-proof', id: 'X', expected: 0 }]);
    third.send({ type: 'proof-ended', id: 'X', outcome: { kind: 'conflict' } });
    third.wait(third.timing.retryMs);
    assert.deepEqual([third.last('look-up-session').length, third.last('write-lease')], [1, []]);
    third.send({ type: 'session-looked-up', id: 'X', found: missing });
    third.send({ type: 'proof-ended', id: 'X', outcome: { kind: 'ok', revision: 40 } });
    // The lease is not written yet. Other members may still plan with the unknown owner, so its session is fenced first.
    assert.deepEqual(third.last('write-lease'), []);
    assert.deepEqual(third.last('fence-session'), [{ type: 'fence-session', id: 'X', expected: 0 }]);
    third.send({ type: 'session-fenced', id: 'X', outcome: { kind: 'ok', revision: 41 } });
    assert.equal(third.last('write-lease')[0]?.expected, 20);

    const other = unseen();
    const found = session('X', 15);
    assert.ok(found.kind === 'session');
    other.send({ type: 'session-looked-up', id: 'X', found: { kind: 'found', entry: found } });
    assert.deepEqual(
      other.last('report').map(({ report }) => report),
      [{ type: 'member-joined', id: 'X', name: 'x' }],
    );
    other.wait(other.timing.settleMs);
    assert.deepEqual([other.last('look-up-session'), other.last('write-lease')], [[], []]);
  });

  it('a partition does not start again while its handover has an unknown outcome', () => {
    const me = handingOver();
    me.send({ type: 'lease-written', partition: 0, expected: 2, record: leaseRecord('B'), outcome: unknown });
    me.send({ type: 'changes', entries: [gone('B', 12)] });
    assert.ok(!me.last('start-partition').some(({ partition }) => partition === 0));
    me.wait(me.timing.retryMs);
    // The member writes the lease for itself. So any write in flight fails.
    const write = me.last('write-lease').find(({ partition }) => partition === 0);
    assert.equal(write?.record.owner, 'ME');
    assert.equal(write?.expected, 2);
    const outcome = { kind: 'ok', revision: 13 } as const;
    me.send({ type: 'lease-written', partition: 0, expected: 2, record: leaseRecord('ME'), outcome });
    assert.equal(me.last('start-partition')[0]?.epoch, 13);
  });

  it('a handover stays in doubt after the session expires', () => {
    const me = handingOver();
    const renewAt = me.now;
    me.send({ type: 'lease-written', partition: 0, expected: 2, record: leaseRecord('B'), outcome: unknown });
    me.wait(me.timing.ttlMs);
    assert.equal(me.permit, Number.NEGATIVE_INFINITY);
    me.renewed(renewAt, unknown);
    me.renewed(me.now, { kind: 'ok', revision: 14 });
    const started = me.last('start-partition').map(({ partition }) => partition);
    assert.ok(started.includes(3) && !started.includes(0));
  });

  it('a leaving member gives partitions away only after its session is marked as leaving', () => {
    const me = new GroupDriver(1);
    me.send({ type: 'connected' });
    me.send({ type: 'identified', id: 'ME' });
    me.send({ type: 'snapshot', entries: [session('B', 1), lease(0, 2, 'ME')] });
    me.renewed(me.now, { kind: 'ok', revision: 9 });
    // A write of the session is still in flight. It was sent before the leave, so it does not mark the session as leaving.
    me.send({ type: 'changes', entries: [session('ME', 10)] });
    me.send({ type: 'leave' });
    assert.deepEqual(me.last('drain-partition'), []);
    me.send({ type: 'session-written', id: 'ME', outcome: { kind: 'ok', revision: 10 } });
    assert.equal(me.last('write-session')[0]?.leaving, true);
    assert.equal(me.last('drain-partition').length, 1);
  });

  it('a partition is aborted when the watch shows another owner', () => {
    const me = new GroupDriver(1);
    me.join([session('B', 1), lease(0, 2, 'ME')]);
    me.send({ type: 'changes', entries: [lease(0, 12, 'B')] });
    assert.equal(me.last('abort-partition')[0]?.epoch, 2);
  });

  it("a snapshot that is older than the member's own write changes no partition", () => {
    const me = handingOver();
    const outcome = { kind: 'ok', revision: 13 } as const;
    me.send({ type: 'lease-written', partition: 0, expected: 2, record: leaseRecord('B'), outcome });
    me.send({ type: 'snapshot', entries: [session('B', 11), lease(0, 2, 'ME'), lease(3, 5, 'ME')] });
    assert.ok(!me.last('start-partition').some(({ partition }) => partition === 0));
  });

  it('a partition is not claimed from a member whose session is newer than the snapshot', () => {
    const me = new GroupDriver(2);
    me.join([session('B', 1), lease(0, 2, 'ME'), lease(1, 3, 'B')]);
    me.send({ type: 'changes', entries: [session('C', 20)] });
    me.wait(me.timing.settleMs);
    // The watch restarts at a lagging replica.
    me.send({
      type: 'snapshot',
      entries: [session('ME', 10), session('B', 1), lease(0, 2, 'ME'), lease(1, 3, 'B')],
    });
    assert.ok(!me.last('report').some(({ report }) => report.type === 'member-left'));
    me.send({ type: 'changes', entries: [lease(1, 21, 'C')] });
    me.wait(me.timing.ttlMs);
    assert.deepEqual(me.last('write-lease'), []);
  });

  it('released partitions go to the member with the fewest partitions', () => {
    const me = new GroupDriver(4);
    me.join([
      session('B', 1),
      session('C', 2),
      lease(0, 3, 'ME'),
      lease(1, 4, 'B'),
      lease(2, 5, 'B'),
      lease(3, 6, 'C'),
    ]);
    me.send({ type: 'release', partition: 0, to: null });
    me.send({ type: 'partition-drained', partition: 0, epoch: 3 });
    assert.equal(me.last('write-lease')[0]?.record.owner, 'C');
  });

  it('partitions are drained before they are given away, even while they wait to start again', () => {
    const me = new GroupDriver(1);
    me.join([session('B', 1), lease(0, 2, 'ME')]);
    me.send({ type: 'partition-started', partition: 0, epoch: 2 });
    me.send({
      type: 'partition-failed',
      partition: 0,
      epoch: 2,
      message: 'its reader could not be deleted in time',
    });
    me.send({ type: 'release', partition: 0, to: null });
    assert.deepEqual(me.last('write-lease'), []);
    assert.equal(me.last('drain-partition').length, 1);
    me.send({ type: 'partition-drained', partition: 0, epoch: 2 });
    assert.equal(me.last('write-lease')[0]?.record.owner, 'B');
  });

  it('partitions are drained again after a failed drain, to commit the handled messages', () => {
    const me = new GroupDriver(1);
    me.join([session('B', 1), lease(0, 2, 'ME')]);
    me.send({ type: 'partition-started', partition: 0, epoch: 2 });
    me.send({ type: 'release', partition: 0, to: null });
    const failed = {
      type: 'partition-failed',
      partition: 0,
      epoch: 2,
      message: 'its position is gone',
    } as const;
    me.send(failed);
    assert.deepEqual([me.last('write-lease'), me.last('drain-partition').length], [[], 1]);
    me.send(failed);
    assert.equal(me.last('write-lease')[0]?.record.owner, 'B');
  });

  it('a death is reported to the next owner if the partition was given away before the death was recorded', () => {
    const me = new GroupDriver(1);
    const before = { ...leaseRecord('A'), died: [1] };
    me.join([{ kind: 'lease', partition: 0, revision: 2, record: before }, gone('A', 3)]);
    const [{ record: claim } = assert.fail('p0 is not claimed')] = me.last('write-lease');
    const died = [1, 2];
    const record = { ...claim, at: '' };
    const outcome = { kind: 'ok', revision: 12 } as const;
    me.send({ type: 'lease-written', partition: 0, expected: 2, record, outcome });
    assert.deepEqual(
      me.last('start-partition').map((started) => started.died),
      [died],
    );
    me.send({ type: 'changes', entries: [session('B', 13)] });
    me.wait(1_000);
    me.send({ type: 'release', partition: 0, to: null });
    me.send({ type: 'partition-drained', partition: 0, epoch: 12 });
    const [{ record: given } = assert.fail('p0 is not given away')] = me.last('write-lease');
    assert.deepEqual([given.owner, given.died], ['B', died]);
  });

  it('a death that is recorded is not reported to the next owner', () => {
    const me = new GroupDriver(1);
    const died = [3];
    const record = { ...leaseRecord('ME'), from: 'b', reason: 'handover', died } as const;
    me.join([session('B', 1), lease(0, 5, 'B')]);
    me.send({ type: 'changes', entries: [{ kind: 'lease', partition: 0, revision: 12, record }] });
    assert.deepEqual(
      me.last('start-partition').map(({ died }) => died),
      [died],
      'the lease reports the death',
    );
    me.send({ type: 'partition-started', partition: 0, epoch: 12 });
    me.send({ type: 'release', partition: 0, to: null });
    me.send({ type: 'partition-drained', partition: 0, epoch: 12 });
    assert.equal(me.last('write-lease')[0]?.record.died, undefined);
  });

  it('a leaving member drains its partitions if its session becomes live again', () => {
    const me = new GroupDriver(1);
    me.join([session('B', 1), lease(0, 2, 'ME')]);
    me.send({ type: 'leave' });
    me.now += me.timing.ttlMs;
    me.send({ type: 'tick' });
    assert.equal(me.last('abort-partition').length, 1);
    me.renewed(me.now, { kind: 'ok', revision: 11 });
    assert.deepEqual(me.last('write-lease'), []);
    assert.equal(me.last('drain-partition').length, 1);
  });
});
