import assert from 'node:assert/strict';
import { checkGroup, muteNotes, resizeNotes } from '../../src/core/admin/check.js';
import { type GroupStatus, totalsOf } from '../../src/core/admin/group-status.js';
import type { LeaseStatus } from '../../src/core/admin/lease-status.js';
import type { MemberState } from '../../src/core/admin/members.js';
import { findStalls, reportedStalls } from '../../src/core/admin/stalled.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import { holdUp } from '../../src/core/protocol/hold-up.js';
import type { MemberStats } from '../../src/core/protocol/member-stats.js';
import { absentPinNotes, findingTexts, formatNagios, unknownToNagios } from '../../src/text/check-report.js';
import { formatLeases, summarise } from '../../src/text/lease-table.js';
import { formatMembers } from '../../src/text/members-table.js';
import { lease, member } from '../support/group-status.js';

const STATS: MemberStats = {
  ...{ v: 1, session: 'S1', name: 's1', group: 'g', stream: 'S', host: 'h', pid: 1, version: '1.0.0' },
  ...{ startedAt: '2026-01-01T00:00:00.000Z', uptimeMs: 1, partitions: [], handled: 0, failed: 0 },
  memory: { allocBytes: 1, totalAllocBytes: 1, sysBytes: 1, numGc: 0, verdict: '' },
};
const none = { maxLag: undefined, stalled: [] };
const kinds = (status: GroupStatus, limits: Parameters<typeof checkGroup>[1] = none) =>
  checkGroup(status, limits).map(({ kind, partition }) =>
    partition === null ? kind : `${kind} p${partition}`,
  );

describe('the summary of a group', () => {
  it('the summary counts the members in trouble, with the states of the table', () => {
    const members = [
      member('S1'),
      member('S2', { state: 'leaving' }),
      member('S3', { state: 'unreachable' }),
      member('S4', { state: 'silent' }),
      member('S5', { state: 'unreachable' }),
      member('S6', { state: 'expired' }),
    ];
    const summary = summarise({ partitions: [], members });
    assert.equal(summary.split(' \u00b7 ')[0], '3 members (1 silent), 3 unreachable');
    for (const [word, count] of [
      ['unreachable', 2],
      ['expired', 1],
      ['silent', 1],
    ] as const) {
      const marked = formatMembers({ partitions: [], members }).filter(
        (line) => /^!/.test(line) && line.endsWith(word),
      );
      assert.equal(marked.length, count, word);
    }
    assert.match(summarise({ partitions: [], members: members.slice(0, 1) }), /^1 member \u00b7/);
  });
});

describe('leases check', () => {
  it('the check finds nothing wrong with a healthy group, even while partitions start, drain or are paused', () => {
    const partitions = ['running', 'starting', 'draining', 'paused', 'owned'].map((state, i) =>
      lease(i, { state }),
    );
    assert.deepEqual(kinds({ partitions, members: [member('S1')] }, { ...none, maxLag: 0 }), []);
  });

  it('the check and the summary mention a slow handler only after a minute, and name the commands that help', () => {
    const slow = (forMs: number) => {
      const reason = 'the handler of message 7 runs';
      const held = holdUp({ why: 'handler', sequence: 7, reason, forMs });
      return { partitions: [lease(0, { state: 'running', holdUp: held })], members: [member('S1')] };
    };
    assert.deepEqual(kinds(slow(50_000)), []);
    assert.doesNotMatch(summarise(slow(50_000)), /needs attention/);
    assert.match(summarise(slow(61_000)), /needs attention: p0 running/);
    const [found] = checkGroup(slow(61_000), none);
    assert.deepEqual([found?.kind, found?.severity], ['stalled', 'warning']);
    assert.match(found?.message ?? '', /the handler of message 7 runs; .*"leases skip 0 --message 7" gives/);
  });

  it('the check names the reason first if members answer, but cannot renew', () => {
    const reason = 'the member cannot renew: bucket B refuses writes';
    const standing = [{ partition: null, reason, forMs: 20_000 }];
    const stats = { ...STATS, standing };
    const blocked = { state: 'blocked', renewedAgoMs: 12_000, expiresInMs: -2_000, stats } as const;
    const members = [member('S1', blocked)];
    const status = { partitions: [lease(0, { state: 'blocked' }), lease(1, { state: 'orphaned' })], members };
    const found = checkGroup(status, { ...none, stalled: reportedStalls(status) });
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ['stalled', 'owner-blocked', 'owner-lost', 'near-expiry'],
    );
    const text = found.map(({ message }) => message).join('; ');
    assert.match(
      text,
      /^s1 has made no progress for 20 s: the member cannot renew: bucket B refuses writes; /,
    );
    assert.match(text, /p1: its owner a is orphaned; no member can take over: the member cannot renew/);
    assert.doesNotMatch(text, /starts one|other members take over/);
    assert.equal(totalsOf(status).unreachable, 0);
    assert.match(
      formatLeases(status).join(' '),
      /no member can take over: the member cannot renew: bucket B/,
    );
  });

  it('the check and the list note members that renew, but accept no requests', () => {
    const mute = member('S1', { answer: 'gone', renewedAgoMs: 400 });
    const status = { partitions: [lease(0)], members: [mute, member('S2')] };
    assert.deepEqual(kinds(status), []);
    const [note = ''] = muteNotes(status);
    assert.match(note, /^s1 renewed 400 ms ago, but no subscriber answers for it: is it permitted/);
    const [both = ''] = muteNotes({ members: [mute, member('S3', { answer: 'gone', renewedAgoMs: 100 })] });
    assert.match(both, /^s1, s3 renewed at most 400 ms ago, but no subscribers answer for them: are they/);
    assert.equal(formatLeases(status).at(-1), note);
  });

  it('the check notes pins to members that are not in the group', () => {
    const partitions = [
      lease(0),
      lease(1, { pin: 'gone' }),
      lease(3, { pin: 'gone' }),
      lease(2, { pin: 'S1' }),
    ];
    assert.deepEqual(absentPinNotes({ partitions, members: [member('S1')] }), [
      'p1 p3 are pinned to gone, which is not a member: any member may own them; "leases unpin" removes the pin',
    ]);
    assert.deepEqual(absentPinNotes({ partitions: [lease(0)], members: [] }), []);
  });

  it('the check reports a problem of several partitions once', () => {
    const partitions = [0, 1, 2, 4].map((i) => lease(i, { state: 'unowned', owner: null, session: null }));
    const paused = lease(5, { paused: true, state: 'paused' });
    const held = [6, 7].map((i) => lease(i, { state: 'silent' }));
    const group = { partitions: [...partitions, paused, ...held], members: [member('S1')] };
    const texts = findingTexts(checkGroup(group, none)).map(({ message }) => message);
    assert.deepEqual(
      texts.filter((text) => /^p/.test(text)),
      [
        'p0-p2 p4 have no owner',
        texts.find((text) => /^p5 is paused/.test(text)),
        'p6 p7: its owner a does not answer; the other members take over when its session expires, or at once after "leases release --owner a --force"',
      ],
    );
  });

  it('the check names the member that takes over, or reports that no member is left', () => {
    const lost = lease(0, { state: 'unreachable' });
    const texts = (...states: MemberState[]) =>
      checkGroup({ partitions: [lost], members: states.map((state, i) => member(`S${i}`, { state })) }, none)
        .map(({ message }) => message)
        .filter((message) => !message.includes('renewal'));
    const nobody = 'no member is left to take over: "natspoc consume" starts one';
    assert.deepEqual(texts('unreachable', 'live'), [
      'p0: its owner a is unreachable; the other members take over',
    ]);
    assert.deepEqual(texts('unreachable', 'silent'), [`p0: its owner a is unreachable; ${nobody}`]);
    assert.equal(texts()[0], 'the group has no members; "natspoc consume" starts one');
  });

  it('the check reports no time to drain while messages wait in a partition that makes no progress', () => {
    const moving = lease(0, { lag: 10, ratePerSecond: 10 });
    const drain = (other: Partial<LeaseStatus>) =>
      totalsOf({ partitions: [moving, lease(1, { lag: 5, ratePerSecond: 0, ...other })], members: [] })
        .drainMs;
    assert.equal(drain({}), 1_500);
    assert.equal(drain({ state: 'halted' }), null);
    assert.equal(drain({ state: 'paused', paused: true }), null);
    assert.equal(drain({ state: 'halted', lag: 0 }), 1_000);
  });

  it('a resize is a problem only after a minute, and then the check names a partition that is not closed', () => {
    const partitions = [
      lease(0, { state: 'closed', owner: null, session: null }),
      lease(1, { state: 'draining' }),
    ];
    const resize = { to: 4, by: 'op', forMs: 59_000, closed: 1 };
    const members = [member('S1')];
    assert.deepEqual(kinds({ partitions, members, resize }), []);
    const [finding] = checkGroup({ partitions, members, resize: { ...resize, forMs: 61_000 } }, none);
    assert.equal(finding?.kind, 'resizing');
    assert.match(
      finding?.message ?? '',
      /the resize to 4 partitions has taken .*: 1 of 2 are closed, p1 of a is not/,
    );
  });

  it('a resize without members waits for one, and is no problem while the group is idle', () => {
    const partitions = [lease(0, { state: 'unowned', owner: null, session: null })];
    const group = { partitions, members: [], resize: { to: 4, by: 'op', forMs: 61_000, closed: 0 } };
    const waits =
      'the resize to 4 partitions waits for a member, and is done when one joins: "natspoc consume"';
    const resizing = checkGroup(group, none).find(({ kind }) => kind === 'resizing');
    assert.equal(resizing?.message, waits);
    const idle = { ...group, partitions: [lease(0, { state: 'idle', session: null })], idle: { sinceMs: 0 } };
    assert.deepEqual([checkGroup(idle, none), resizeNotes(idle)], [[], [waits]]);
  });

  it('the check names each problem of a partition', () => {
    const wrong = ['unowned', 'orphaned', 'expired', 'unreachable', 'silent', 'halted', 'unreadable'];
    const partitions = wrong.map((state, i) => lease(i, { state }));
    assert.deepEqual(kinds({ partitions, members: [member('S1')] }), [
      'unowned p0',
      'owner-lost p1',
      'owner-lost p2',
      'owner-lost p3',
      'owner-silent p4',
      'halted p5',
      'unreadable p6',
    ]);
  });

  it("the check gives the reason and the remedy for a wrong position, whatever its owner's state is", () => {
    const beyond = { positionFault: 'beyond-end', position: 1_042, end: 17, lag: null } as const;
    const partitions = ['waiting', 'starting', 'running'].map((state, i) => lease(i, { ...beyond, state }));
    assert.deepEqual(kinds({ partitions, members: [member('S1')] }), [
      'beyond-end p0',
      'beyond-end p1',
      'beyond-end p2',
    ]);
    const unreadable = (['broken', 'newer'] as const).map((positionFault, i) =>
      lease(i, { positionFault, state: 'halted', position: null, lag: null }),
    );
    const findings = checkGroup({ partitions: unreadable, members: [member('S1')] }, none);
    assert.deepEqual(
      findings.map(({ kind, message }) => [kind, message]),
      [
        ['unreadable', 'p0: its position cannot be read; choose where to continue with "leases seek"'],
        ['unreadable', 'p1: its position was written by a newer version of natspoc, which must handle it'],
      ],
    );
    const override = [lease(0, { overrideUnreadable: true })];
    assert.deepEqual(kinds({ partitions: override, members: [member('S1')] }), ['unreadable p0']);
    assert.deepEqual(kinds({ partitions: [lease(0, { state: 'waiting' })], members: [member('S1')] }), [
      'retrying p0',
    ]);
  });

  it('the check finds lag and standstill if requested', () => {
    const partitions = [lease(0, { lag: 1_100 }), lease(1, { lag: 1 }), lease(2, { lag: 10 })];
    const stall = { partition: 1, member: 'a', reason: '1 message waits', forMs: 61_000 };
    const limits = { maxLag: 10, stalled: [stall] };
    const status = { partitions, members: [member('S1')] };
    assert.deepEqual(kinds(status, limits), ['lag p0', 'stalled p1']);
    assert.deepEqual(
      checkGroup(status, limits).map(({ message }) => message),
      ['p0: 1,100 messages wait, more than 10', 'p1 has made no progress for 1m 1s: 1 message waits'],
    );
  });

  it('the check finds a standstill if the last commit is old or missing, and reads messages only of such partitions', async () => {
    const old = { lag: 1, positionAgeMs: 3_600_000 };
    const partitions = [
      lease(0, { ...old, position: 7 }),
      // The message has just arrived, after an hour without messages.
      lease(1, { ...old, position: 8 }),
      // No position was ever committed.
      lease(2, { lag: 2, position: null, positionAgeMs: null }),
      lease(3, { lag: 2, position: null, positionAgeMs: null }),
      // The stream has dropped the message meanwhile.
      lease(4, { ...old, position: 9 }),
      // No requests are made about these partitions.
      lease(5, { ...old, lag: 0 }),
      lease(6, { ...old, paused: true }),
      lease(7, { ...old, positionAgeMs: 59_000 }),
    ];
    const waitedMs: Record<string, number | null> = {
      '0 after 7': 61_000,
      '1 after 8': 100,
      '2 after 0': 7_200_000,
      '3 after 0': 59_000,
      '4 after 9': null,
    };
    const asked: string[] = [];
    const storedAt = async (partition: number, after: number) => {
      const question = `${partition} after ${after}`;
      asked.push(question);
      const ms = waitedMs[question];
      assert.notEqual(ms, undefined, question);
      return ms == null ? null : Date.now() - ms;
    };
    const stalled = await findStalls({ storedAt }, { partitions, members: [] }, 60_000);
    assert.deepEqual(asked.sort(), Object.keys(waitedMs));
    assert.deepEqual(
      stalled.map(({ partition, reason }) => [partition, reason]),
      [
        [0, '1 message waits'],
        [2, '2 messages wait'],
      ],
    );
    // The time counts from the message's arrival, not from the commit.
    assert.ok(Math.abs((stalled[0]?.forMs ?? 0) - 61_000) < 10_000, String(stalled[0]?.forMs));
  });

  it('the check finds imbalance, unless partitions are pinned, and sessions that have missed a renewal', () => {
    const members = [
      member('S1', { partitions: [0, 1] }),
      member('S2'),
      member('S3', { state: 'leaving', renewedAgoMs: 9_000 }),
    ];
    assert.deepEqual(kinds({ partitions: [lease(0), lease(1)], members }), ['imbalance']);
    assert.deepEqual(kinds({ partitions: [lease(0), lease(1, { pin: 'a' })], members }), []);
    const late = (renewedAgoMs: number) =>
      kinds({ partitions: [lease(0)], members: [member('S1', { renewedAgoMs })] });
    assert.deepEqual([late(6_600), late(6_700)], [[], ['near-expiry']]);
  });

  it('the line of a monitoring plugin keeps its format with any names', () => {
    const partitions = [lease(0, { state: 'silent', owner: 'a|b\n' })];
    // A dead session is no member.
    const status = { partitions, members: [member('S1'), member('S2', { state: 'expired' })] };
    const line = formatNagios('EVENTS, group g', status, checkGroup(status, none));
    assert.match(line, /^NATSPOC WARNING - [^|\n]*a\/b\\u000a[^|\n]* \| members=1 owned=1;;;0;1 lag=0$/);
  });
});

describe('a check that could not be made', () => {
  it('a failed check is reported as one line of a monitoring plugin, with any message', () => {
    const { line, exitCode } = unknownToNagios(new NatspocError('failed', 'no|\u001b[2J\nanswer'));
    assert.equal(line, 'NATSPOC UNKNOWN - no/\\u001b[2J answer');
    assert.equal(exitCode, 3);
    assert.equal(unknownToNagios(new NatspocError('group-missing', 'no group')).exitCode, 2);
  });
});
