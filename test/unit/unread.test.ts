import assert from 'node:assert/strict';
import type { GroupStatus } from '../../src/core/admin/group-status.js';
import { addUnread, withUnread } from '../../src/core/admin/unread.js';
import type { GroupObserver } from '../../src/core/ports/observer.js';
import { lease, member } from '../support/group-status.js';

/** Member a has p0 and p2. Member b has p1. Messages after the positions 10, 30 and 20 are unread. */
function status(): GroupStatus {
  const of = (partition: number, session: string, position: number, unread: number) =>
    lease(partition, { session, owner: session, position, unread });
  return {
    partitions: [of(0, 'a', 10, 90), of(1, 'b', 30, 70), of(2, 'a', 20, 80)],
    members: [member('a'), member('b')],
  };
}

describe('the unread messages of a keyed group', () => {
  it('unread messages of a group or of a member are the messages after its lowest position', () => {
    const { unread, members } = addUnread(status(), ({ position }) => 1_000 + (position ?? 0), 2_000);
    assert.deepEqual(unread, { messages: 90, oldestAgeMs: 990 });
    assert.deepEqual(
      members.map((each) => each.unread),
      [
        { messages: 90, oldestAgeMs: 990 },
        { messages: 70, oldestAgeMs: 970 },
      ],
    );
  });

  it('unread messages are not shown for a group of another kind, nor if all messages are read', () => {
    const none = status();
    for (const each of none.partitions) each.unread = undefined;
    assert.equal(addUnread(none, () => 0, 0).unread, undefined);
    const caughtUp = status();
    for (const each of caughtUp.partitions) each.unread = 0;
    assert.equal(addUnread(caughtUp, () => 0, 0).unread, undefined);
  });

  it('the age of unread messages needs one request for each lowest position, and is null if no request gives it', async () => {
    const asked: [number, number][] = [];
    const observer: Pick<GroupObserver, 'storedAt'> = {
      storedAt: async (partition, after) => {
        asked.push([partition, after]);
        return null;
      },
    };
    const { unread } = await withUnread(observer, status());
    assert.deepEqual(unread, { messages: 90, oldestAgeMs: null });
    assert.deepEqual(asked.sort(), [
      [0, 10],
      [1, 30],
    ]);
  });
});
