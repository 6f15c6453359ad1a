import assert from 'node:assert/strict';
import type { GroupFollower } from '../../src/core/admin/follower.js';
import { releasePartitions } from '../../src/core/admin/release.js';
import type { Bucket } from '../../src/core/ports/index.js';
import type { ControlClient } from '../../src/core/protocol/member-orders.js';

describe('the release of a partition by force', () => {
  it('a member that accepts no request, but renews, is not said to be gone', async () => {
    const follower: Partial<GroupFollower> = {
      sessions: new Map(),
      ownerOf: () => 'S1',
      ownerNameOf: () => 'S1',
      epochOf: () => 1,
      pinnedTo: () => undefined,
    };
    const entry = { key: 'k', revision: 1, value: new Uint8Array(1) };
    const bucket: Partial<Bucket> = {
      read: async () => ({ kind: 'found', entry }),
      remove: async () => ({ kind: 'conflict' }),
    };
    const control = { ask: async () => ({ kind: 'gone' }) };
    // A release from an owner uses only these parts.
    const ports = {
      ...{ follower: follower as GroupFollower, bucket: bucket as Bucket, group: 'g' },
      ...{ control: control as unknown as ControlClient, lastOwner: async () => null },
    };
    const order = { partitions: [0], to: null, force: true, answerMs: 100, waitMs: 100 };
    const [released] = await releasePartitions(ports, order);
    assert.equal(
      released?.message,
      'session S1 accepts no such request, but it renews, so it was not fenced',
    );
  });
});
