import assert from 'node:assert/strict';
import { untilPinned } from '../../src/core/admin/pinning.js';
import type { BucketEntry } from '../../src/core/protocol/entries.js';
import { ended, following, lease, session } from '../support/following.js';

describe('the wait until pinned partitions have moved', () => {
  /** A member that has the same name as the member `a`. */
  const twin = (id: string, revision: number): BucketEntry => session(id, revision, false, 'name-a');

  it('the wait for pinned partitions ignores a leaving member with the same name', async () => {
    const { follower, change } = following([session('a', 1, true), twin('b', 2), lease(0, 9, 'other')]);
    const waiting = untilPinned(follower, [0], 'name-a', 60_000);
    change([lease(0, 10, 'b')]);
    assert.deepEqual(await waiting, { present: true, there: true });
  });

  it('the wait for pinned partitions follows the name to the next member if the first one ends', async () => {
    const { follower, change } = following([session('a', 1), twin('b', 2), lease(0, 9, 'a')]);
    const waiting = untilPinned(follower, [0, 1], 'name-a', 60_000);
    change([lease(0, 10, 'b')]);
    change([ended('a', 11)]);
    change([lease(1, 12, 'b')]);
    assert.deepEqual(await waiting, { present: true, there: true });
  });

  it('there is no wait for pinned partitions if the only member with this name is leaving', async () => {
    const { follower } = following([session('a', 1, true), lease(0, 9, 'a')]);
    assert.deepEqual(await untilPinned(follower, [0], 'name-a', 60_000), { present: false, there: false });
  });

  it('after the wait, a member that has left is no longer reported as present', async () => {
    const { follower, change } = following([session('a', 1), lease(0, 9, 'other')]);
    const stop = new AbortController();
    const waiting = untilPinned(follower, [0], 'name-a', 60_000, stop.signal);
    change([ended('a', 10)]);
    stop.abort();
    assert.deepEqual(await waiting, { present: false, there: false });
  });
});
