import assert from 'node:assert/strict';
import { type GroupMember, joinGroup } from '../../src/core/index.js';
import { until } from '../support/until.js';
import { withLibrary } from '../support/with-library.js';

const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: { code: string }) => error.code,
  );

describe('a member that is still joining', function () {
  this.timeout(60_000);
  const stage = withLibrary();

  it('`ready` and `closed` that are read in `listen` belong to the joined member', async () => {
    const seen: string[] = [];
    const member = await stage.join({
      handler: () => {},
      listen: (joining) => {
        void outcome(joining.ready).then((how) => seen.push(`ready ${how}`));
        void outcome(joining.closed).then((how) => seen.push(`closed ${how}`));
      },
    });
    await member.ready;
    await until('the early promise has resolved, too', () => seen.length > 0);
    assert.deepEqual(seen, ['ready resolved']);
    await member.leave();
    assert.deepEqual(seen, ['ready resolved', 'closed resolved']);
  });

  it('a member that is told to leave in `listen` leaves as soon as it has started', async () => {
    let left: Promise<void> | undefined;
    const member = await stage.join({
      handler: () => {},
      listen: (joining) => {
        left = joining.leave();
      },
    });
    await left;
    assert.deepEqual([member.id, member.partitions], [null, []]);
    await member.closed;
  });

  it('partitions that are paused in `listen` start no handler until they are resumed', async () => {
    await stage.publish([['a', '1']], 1);
    const handled: number[] = [];
    const member = await stage.join(
      {
        handler: ({ sequence }) => void handled.push(sequence),
        listen: (joining) => joining.pause(),
      },
      1,
    );
    await until('the message waits', () => member.partitions[0]?.lag === 1);
    assert.deepEqual(handled, []);
    member.resume();
    await until('the message is handled', () => handled.length === 1);
  });

  it('an invalid pause is refused even before the member has joined', async () => {
    const joining = stage.join({ handler: () => {}, listen: (member) => member.pause(-1) });
    await assert.rejects(joining, { code: 'usage', message: /no partition -1 to pause/ });
  });

  it('`closed` and `ready` reject with the error of a failed join, `leave()` resolves, and nothing ends the process', async () => {
    await stage.join({ handler: () => {} });
    const outcomes: Promise<string>[] = [];
    const fails = (listen: (member: GroupMember) => void) =>
      assert.rejects(joinGroup({ ...stage.place(7), logger: false, handler: () => {}, listen }), {
        code: 'layout-mismatch',
      });
    await fails((member) => outcomes.push(...[member.closed, member.ready, member.leave()].map(outcome)));
    assert.deepEqual(await Promise.all(outcomes), ['layout-mismatch', 'layout-mismatch', 'resolved']);
    // mocha reports unhandled rejections.
    await fails((member) => void [member.closed, member.ready, member.leave()]);
  });

  it('`closed` and `ready` reject if `listen` throws', async () => {
    const outcomes: Promise<string>[] = [];
    const listen = (member: GroupMember): never => {
      outcomes.push(outcome(member.closed), outcome(member.ready));
      throw Object.assign(new Error('no'), { code: 'thrown' });
    };
    await assert.rejects(stage.join({ handler: () => {}, listen }), { code: 'thrown' });
    assert.deepEqual(await Promise.all(outcomes), ['thrown', 'thrown']);
  });
});
