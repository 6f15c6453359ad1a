import assert from 'node:assert/strict';
import { followJoining } from '../../src/core/admin/follow-joining.js';
import { following, lease, session } from '../support/following.js';

describe('following a process that joins', () => {
  const process = { host: 'h', pid: 9, partitions: 4 };
  const group = () => [session('a', 1), ...[0, 1, 2, 3].map((p) => lease(p, 10 + p, 'a'))];
  const { signal } = new AbortController();

  it('following a process ends when the process has its share, and names the previous owners', async () => {
    const { follower, change } = following(group());
    const joining = followJoining(follower, process, 60_000, signal);
    change([session('b', 9)]);
    change([lease(2, 20, 'b', 'name-a')]);
    change([lease(0, 21, 'b', null)]);
    const joined = await joining;
    assert.equal(joined?.name, 'name-b');
    assert.deepEqual(
      [...(joined?.from ?? [])],
      [
        [null, [0]],
        ['name-a', [2]],
      ],
    );
  });

  it('following a process returns its current share if the wait ends early, and nothing if it has not joined', async () => {
    const { follower, change } = following(group());
    const stop = new AbortController();
    const joining = followJoining(follower, process, 60_000, stop.signal);
    change([session('b', 9)]);
    change([lease(2, 20, 'b', 'name-a')]);
    stop.abort();
    assert.deepEqual([...((await joining)?.from ?? [])], [['name-a', [2]]]);
    const other = following([...group(), session('other', 8)]).follower;
    assert.equal(await followJoining(other, process, 10, signal), undefined);
  });
});
