import assert from 'node:assert/strict';
import { deadSessions } from '../../src/cli/groups/delete-group.js';
import type { MemberStatus } from '../../src/core/admin/members.js';
import type { StreamAdmin } from '../../src/core/admin/stream-admin.js';
import { MAX_TTL_MS } from '../../src/core/protocol/timing.js';

/** The dead sessions of a group whose only member has an unreadable session. */
const sessionsOf = (renewedAgoMs: number): Promise<string[]> => {
  const member: Partial<MemberStatus> = {
    ...{ session: 'S1', name: 'S1', state: 'unreadable', answer: 'gone', renewedAgoMs },
  };
  const group = { status: async () => ({ members: [member] }) };
  return deadSessions({ group: () => group } as unknown as StreamAdmin, 'g', 'deleted');
};

describe('the members of a group that is deleted', () => {
  it('a member whose session cannot be read is dead after the longest permitted ttl', async () => {
    assert.deepEqual(await sessionsOf(MAX_TTL_MS + 1), ['S1']);
    await assert.rejects(sessionsOf(MAX_TTL_MS), /Group g has members: S1 \(unreadable.*Stop them first/);
  });
});
