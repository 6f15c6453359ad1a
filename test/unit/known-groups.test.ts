import assert from 'node:assert/strict';
import { exporterMetrics } from '../../src/cli/exporter/exporter-metrics.js';
import { KnownGroups } from '../../src/cli/exporter/known-groups.js';
import type { GroupReading } from '../../src/cli/groups/all-groups.js';
import type { LeaseStatus } from '../../src/core/admin/lease-status.js';
import { type ErrorCode, NatspocError } from '../../src/core/lib/errors.js';
import { lease, member } from '../support/group-status.js';

const read = (group: string, partition: Partial<LeaseStatus> = { lag: 7 }): GroupReading => ({
  group,
  found: {
    ...{ group, key: null, filter: null, findings: [] },
    status: { partitions: [lease(0, partition)], members: [member('A')] },
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

  it('the time of a pause in the metrics stays the same while its group cannot be read', async () => {
    const known = new KnownGroups(60_000, []);
    known.replace([read('g', { paused: true, pausedMs: 60_000 })], 1_000);
    let now = 1_000;
    const facts = { groups: known.all, disconnects: 0, failures: 0, tookMs: 1, now: () => now };
    const metrics = await exporterMetrics('S', facts);
    const ageMs = async (): Promise<number> => {
      const [, at] =
        /^natspoc_partition_paused_timestamp_seconds\{.*\} (.*)$/m.exec(await metrics.text()) ?? [];
      return Date.now() - Number(at) * 1_000;
    };
    const atFirst = await ageMs();
    now += 600_000;
    const later = await ageMs();
    assert.ok(atFirst < 600_000 && later > 659_999, `${atFirst} ms, then ${later} ms`);
  });
});
