import assert from 'node:assert/strict';
import { KnownGroups } from '../../src/cli/exporter/known-groups.js';
import type { GroupReading } from '../../src/cli/groups/all-groups.js';
import { type ErrorCode, NatspocError } from '../../src/core/lib/errors.js';
import { lease, member } from '../support/group-status.js';

const read = (group: string): GroupReading => ({
  group,
  found: {
    ...{ group, key: null, filter: null, findings: [] },
    status: { partitions: [lease(0, { lag: 7 })], members: [member('A')] },
  },
});
const failed = (group: string, code: ErrorCode): GroupReading => ({
  group,
  error: new NatspocError(code, 'Something is wrong.'),
});

describe('the knowledge of the exporter about groups', () => {
  it('the data of a group stays, and ages, while the group cannot be read', () => {
    const known = new KnownGroups(60_000, []);
    known.replace([read('g')], 1_000);
    known.replace([failed('g', 'unreachable')], 5_000);
    const { lag, readAt, stale, state } = known.get('g') ?? assert.fail('g is forgotten');
    assert.deepEqual(
      { lag, readAt, stale, state },
      { lag: 7, readAt: 1_000, stale: 'Something is wrong.', state: 'running' },
    );
  });

  it('a group that is itself the cause of an error is called unreadable, without a suggestion', () => {
    const known = new KnownGroups(60_000, []);
    known.replace([read('g')], 1_000);
    known.replace([failed('g', 'layout-mismatch')], 5_000);
    const { state, problem, suggestedMembers, lag } = known.get('g') ?? assert.fail('g is forgotten');
    assert.deepEqual(
      [state, problem, suggestedMembers, lag],
      ['unreadable', 'Something is wrong.', null, null],
    );
  });

  it('groups that appear and disappear are reported, and a named group that does not exist is reported as missing', () => {
    const known = new KnownGroups(60_000, ['b']);
    assert.deepEqual(known.replace([read('a')], 1), { come: ['a'], gone: [] });
    assert.equal(known.get('b')?.state, 'missing');
    assert.deepEqual(known.replace([read('b')], 2), { come: ['b'], gone: ['a'] });
    assert.deepEqual(known.replace([], 3), { come: [], gone: ['b'] });
    assert.deepEqual(
      known.all.map(({ group, suggestedMembers }) => [group, suggestedMembers]),
      [['b', 1]],
    );
  });
});
