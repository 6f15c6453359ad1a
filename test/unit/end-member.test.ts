import assert from 'node:assert/strict';
import { type Ending, endMember } from '../../src/core/admin/end-member.js';
import { ended, following, lease, session } from '../support/following.js';

const group = () => [
  session('a', 1),
  session('b', 2),
  session('c', 3),
  lease(0, 10, 'a'),
  lease(1, 11, 'b'),
  lease(2, 12, 'a'),
];

const told = (ending: Ending | string) =>
  typeof ending === 'string' ? ending : { ...ending, moved: [...ending.moved], tookMs: 0 };

describe('ending a member', () => {
  it('a member has ended when its session has ended and other members own its partitions', async () => {
    const { follower, change } = following(group());
    const tell = async () => {
      change([lease(0, 20, 'b')]);
      queueMicrotask(() => change([lease(2, 21, 'c'), ended('a', 22)]));
      return undefined;
    };
    assert.deepEqual(told(await endMember(follower, 'a', { leaves: true, tell }, 5_000)), {
      ended: true,
      alone: false,
      moved: [
        ['name-b', [0]],
        ['name-c', [2]],
      ],
      left: [],
      tookMs: 0,
    });
  });

  it('the reason is returned without waiting if the request could not be sent', async () => {
    const { follower } = following(group());
    const tell = async () => 'it is not there';
    assert.equal(await endMember(follower, 'a', { leaves: true, tell }, 60_000), 'it is not there');
  });

  it("ending a member waits neither for new owners if there is no other member, nor for the end of a killed member's session", async () => {
    const alone = [session('a', 1), session('z', 2, true), lease(0, 10, 'a')];
    const tell = async () => undefined;
    const killed = following(alone).follower;
    assert.deepEqual(told(await endMember(killed, 'a', { leaves: false, tell }, 60_000)), {
      ended: false,
      alone: true,
      moved: [],
      left: [0],
      tookMs: 0,
    });
    const { follower, change } = following(alone);
    const leave = async () => {
      change([lease(0, 20, null), ended('a', 21)]);
      return undefined;
    };
    assert.deepEqual(told(await endMember(follower, 'a', { leaves: true, tell: leave }, 60_000)), {
      ended: true,
      alone: true,
      moved: [],
      left: [0],
      tookMs: 0,
    });
  });

  it('a partition whose next owner is gone too does not count as moved', async () => {
    const { follower, change } = following(group());
    const tell = async () => {
      change([lease(0, 20, 'b'), lease(2, 21, 'c'), ended('a', 22), ended('c', 23)]);
      return undefined;
    };
    const ending = told(await endMember(follower, 'a', { leaves: true, tell }, 30));
    assert.deepEqual(ending, { ended: true, alone: false, moved: [['name-b', [0]]], left: [2], tookMs: 0 });
  });

  it('a wait for the end of a member gives up after its timeout, and names the partitions that moved and did not move', async () => {
    const { follower, change } = following(group());
    const tell = async () => {
      change([lease(2, 20, 'b')]);
      return undefined;
    };
    assert.deepEqual(told(await endMember(follower, 'a', { leaves: true, tell }, 30)), {
      ended: false,
      alone: false,
      moved: [['name-b', [2]]],
      left: [0],
      tookMs: 0,
    });
  });
});
