import assert from 'node:assert/strict';
import { untilNotHandled } from '../../src/core/admin/pausing.js';
import { ended, following, lease, session } from '../support/following.js';

const ID = 'A1B2C3D4E5F6G7H8I9J0K1';
/** No member answers. */
const observer = { stats: async () => ({ members: [], denied: false, gone: [] }) };

describe('the wait until partitions are not handled', () => {
  it('the wait fails for an owner that has a session but does not answer', async () => {
    const { follower } = following([session(ID, 1), lease(3, 2, ID)]);
    const unfinished = await untilNotHandled({ observer, follower }, [3], 0);
    assert.deepEqual([...unfinished], [[3, `its owner name-${ID} does not answer`]]);
  });

  it('the wait ends for a lease whose owner has left: members that leave together leave such leases behind', async () => {
    const { follower, change } = following([session(ID, 1), lease(3, 2, ID)]);
    change([ended(ID, 3)]);
    assert.equal(follower.ownerOf(3), ID);
    assert.equal((await untilNotHandled({ observer, follower }, [3], 0)).size, 0);
  });
});
