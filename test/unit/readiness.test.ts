import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { whenCaughtUp } from '../../src/cli/consume/caught-up.js';
import { Readiness } from '../../src/core/health/readiness.js';
import type { PartitionStatus } from '../../src/core/member/engine/contract.js';
import type { Standing } from '../../src/core/member/engine/standstill.js';
import type { MemberEventMap } from '../../src/core/member/member-events.js';
import { holdUp } from '../../src/core/protocol/hold-up.js';
import { ManualClock } from '../support/manual-clock.js';

const partition = (number: number, more: Partial<PartitionStatus> = {}): PartitionStatus => ({
  partition: number,
  epoch: 1,
  covered: 0,
  position: 10,
  committed: 10,
  handled: 0,
  lag: 0,
  trimmed: 0,
  caughtUp: false,
  state: 'running',
  ...more,
});

/** The part of a member on which readiness depends. */
class FakeMember extends EventEmitter<MemberEventMap> {
  id: string | null = 'a';
  partitions: PartitionStatus[] = [];
  isSettled = true;
  standing: Standing[] = [];
}

describe('readiness', () => {
  const bench = () => {
    const member = new FakeMember();
    return { member, readiness: new Readiness(member) };
  };
  const handler = (forMs: number): Standing => ({
    partition: 1,
    why: 'handler',
    reason: 'the handler of message 11 runs',
    forMs,
  });

  it('readiness has no problems while the member is in the group and its handlers take less than a minute', () => {
    const { member, readiness } = bench();
    member.partitions = [partition(1, { lag: 100 }), partition(4, { state: 'paused', lag: 9 })];
    member.standing = [handler(50_000)];
    assert.deepEqual(readiness.problems(), []);
  });

  it('readiness fails while the member is outside the group, or could not renew', () => {
    const { member, readiness } = bench();
    member.emit('expired', { type: 'expired' });
    assert.deepEqual(readiness.problems(), ['could not renew its session in time']);
    member.emit('resumed', { type: 'resumed' });
    assert.deepEqual(readiness.problems(), []);
    member.id = null;
    assert.deepEqual(readiness.problems(), ['not in the group']);
  });

  it('readiness fails while a partition is halted, stuck, or blocked by a handler for more than a minute', () => {
    const { member, readiness } = bench();
    const halted = {
      why: 'halted',
      sequence: 11,
      attempt: 3,
      maxAttempts: 3,
      reason: 'no',
      forMs: 5_000,
    } as const;
    member.partitions = [
      partition(0, { state: 'halted', holdUp: holdUp(halted) }),
      partition(1, { lag: 5 }),
      partition(2),
    ];
    member.standing = [
      handler(61_000),
      { partition: 2, why: 'stuck', reason: 'messages wait, but none arrives', forMs: 12_000 },
    ];
    assert.deepEqual(readiness.problems(), [
      'p1 has made no progress for 1m 1s: the handler of message 11 runs',
      'p2 has made no progress for 12 s: messages wait, but none arrives',
      'p0 is halted for 5.0 s at message 11, attempt 3/3: no; "leases retry 0" tries it now, "leases skip 0 --message 11" gives the message up',
    ]);
  });
});

describe('having caught up', () => {
  const END = 50;
  const bench = (partitions: PartitionStatus[]) => {
    const member = new FakeMember();
    member.partitions = partitions;
    const clock = new ManualClock();
    let calls = 0;
    const stop = whenCaughtUp(member, END, () => calls++, clock);
    const elapse = (ms: number) => {
      clock.advance(ms);
      return calls;
    };
    return { member, elapse, stop, clock };
  };

  it('a member has caught up only if each of its partitions has caught up', () => {
    const { member, elapse } = bench([partition(0, { caughtUp: true }), partition(1)]);
    assert.equal(elapse(1_000), 0);
    member.partitions = [partition(0, { caughtUp: true }), partition(1, { caughtUp: true })];
    assert.equal(elapse(1_000), 1);
    assert.equal(elapse(1_000), 1, 'once');
  });

  it('catching up does not wait for a halted partition', () => {
    assert.equal(
      bench([partition(0, { caughtUp: true }), partition(1, { state: 'halted' })]).elapse(1_000),
      1,
    );
  });

  it('catching up waits while a partition of the group has no owner', () => {
    const { member, elapse } = bench([partition(0, { caughtUp: true })]);
    member.isSettled = false;
    assert.equal(elapse(10_000), 0);
    member.isSettled = true;
    assert.equal(elapse(1_000), 1);
  });

  it('catching up does not wait for messages that were stored after the start', () => {
    const { member, elapse } = bench([partition(0, { position: END - 1, lag: 9 })]);
    assert.equal(elapse(1_000), 0);
    member.partitions = [partition(0, { position: END, lag: 9 })];
    assert.equal(elapse(1_000), 1);
  });

  it('catching up waits for a while if the member owns no partition', () => {
    const { elapse } = bench([]);
    assert.equal(elapse(1_900), 0);
    assert.equal(elapse(1_000), 1);
  });

  it('a wait for catching up can be cancelled', () => {
    const { stop, elapse, clock } = bench([]);
    stop();
    assert.equal(elapse(10_000), 0);
    assert.equal(clock.timers, 0);
  });
});
