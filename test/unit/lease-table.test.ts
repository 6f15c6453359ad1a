import assert from 'node:assert/strict';
import type { GroupStatus } from '../../src/core/admin/group-status.js';
import { formatLeases } from '../../src/text/lease-table.js';
import { formatMembers } from '../../src/text/members-table.js';
import { formatPairs } from '../../src/text/table.js';
import { formatTenures } from '../../src/text/tenures-table.js';
import { lease, member } from '../support/group-status.js';

const HOSTILE = 'a\u001b[31m\u0007b\u202e\nc';

describe('the table of leases', () => {
  it('the table marks partitions that need attention without colour, and escapes names', () => {
    const [, healthy, unowned] = formatLeases({
      partitions: [
        lease(0, { owner: HOSTILE }),
        lease(1, { state: 'unowned', owner: null, session: null, heldMs: null }),
      ],
      members: [member('S1', { host: HOSTILE })],
    });
    assert.match(healthy ?? '', /^ {2}p0 .*a\\u001b\[31m\\u0007b\\u202e\\u000ac/);
    assert.match(unowned ?? '', /^! p1 .* unowned$/);
  });
});

describe('the remedies below the table of leases', () => {
  const members = [member('S1')];
  const paused = (...numbers: number[]) => numbers.map((i) => lease(i, { paused: true, state: 'paused' }));

  it('the remedy for paused partitions names the command that resumes', () => {
    const some = formatLeases({ partitions: [...paused(0, 1, 2), lease(3), ...paused(4)], members });
    assert.equal(some.at(-1), 'paused: "leases resume 0-2 4" continues them');
    const all = formatLeases({ partitions: paused(0), members });
    assert.equal(all.at(-1), 'paused: "leases resume --all" continues it');
  });

  it('a remedy says that a member is missing, unless the group is idle', () => {
    const dead = [member('S1', { state: 'unreachable' })];
    const last = (status: Partial<GroupStatus>) =>
      formatLeases({ partitions: [lease(0)], members: [], ...status }).at(-1);
    const told = 'no member is left to take over: "natspoc consume" starts one';
    assert.deepEqual([last({}), last({ members: dead })], [told, told]);
    assert.match(last({ idle: { sinceMs: 0 } }) ?? '', /^ {2}p0/);
  });
});

describe('tables on a narrow terminal', () => {
  const widest = (lines: readonly string[]) => Math.max(...lines.map(({ length }) => length));
  const leases = [lease(0)];
  const long = { name: 'worker-17.example', host: 'worker-17.example.internal', pid: 123_456 };
  const members = [member('S'.repeat(22), { ...long, state: 'unreachable', lag: 1_234, partitions: [0] })];

  it('dropped messages are named below the table, if there are any', () => {
    const leases = Array.from({ length: 10 }, (_, i) => lease(i, { trimmed: i === 0 ? 0 : 1_000 }));
    assert.deepEqual(formatLeases({ partitions: leases.slice(0, 2), members: [member('S1')] }).slice(3), [
      '! dropped by the stream before handled, at most: p1 1,000',
    ]);
    assert.match(
      formatLeases({ partitions: leases, members: [member('S1')] }).at(-1) ?? '',
      /p8 1,000 and 1 more$/,
    );
    assert.equal(formatLeases({ partitions: [lease(0)], members: [member('S1')] }).length, 2);
  });

  it('a narrow table omits columns of members, but never name, partitions and state', () => {
    assert.ok(widest(formatMembers({ partitions: leases, members })) > 60);
    const lines = formatMembers({ partitions: leases, members }, 60);
    assert.ok(widest(lines) <= 60, lines.join('\n'));
    assert.match(lines[1] ?? '', /^! worker-17\.example +1 +1,234 .*unreachable$/);
  });

  it('a narrow table omits columns of a history, but never start and gap', () => {
    const tenure = {
      session: 'S',
      reason: 'claim',
      at: '2026-01-01T00:00:00.000Z',
      heldMs: 61_000,
      closed: false,
    } as const;
    const lines = formatTenures(
      [{ ...tenure, epoch: 7, owner: 'worker-17', from: 'worker-3', gapMs: 900 }],
      60,
    );
    assert.ok(widest(lines) <= 60, lines.join('\n'));
    assert.match(lines[1] ?? '', /^20\d\d-\d\d-\d\d \d\d:\d\d:00\.000 {2}worker-17 .*<= 900 ms$/);
  });

  it('a long value is wrapped between words, and its lines are aligned', () => {
    const pairs = [['Layout', '8 partitions of subject.events.p.N, keys by fnv1a32'] as const];
    assert.deepEqual(formatPairs(pairs, 36), [
      'Layout  8 partitions of',
      '        subject.events.p.N, keys by',
      '        fnv1a32',
    ]);
  });
});
