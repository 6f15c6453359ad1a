import assert from 'node:assert/strict';
import fc from 'fast-check';
import { choosePartitions, parsePartitions } from '../../src/cli/choose-partitions.js';
import { checkGroup } from '../../src/core/admin/check.js';
import type { GroupStatus, LeaseStatus } from '../../src/core/admin/group-status.js';
import { readTenures } from '../../src/core/admin/history.js';
import type { MemberStatus } from '../../src/core/admin/members.js';
import { parseSeekTarget, planSeek } from '../../src/core/admin/seek-target.js';
import { readStalled } from '../../src/core/admin/stalled.js';
import { planTrim } from '../../src/core/admin/trim.js';
import { textWidth } from '../../src/core/lib/text.js';
import type { StoredMessage } from '../../src/core/ports/stream-admin.js';
import { decodeControlAnswer, decodeRelease, memberSubject } from '../../src/core/protocol/member-orders.js';
import { formatNagios, unknownToNagios } from '../../src/text/check-report.js';
import { formatLeases, summarise } from '../../src/text/lease-table.js';
import { formatMembers } from '../../src/text/members-table.js';
import { formatMessage, formatMessageLine, messageJson } from '../../src/text/message-lines.js';
import { formatPairs, formatTable } from '../../src/text/table.js';
import { formatTenures } from '../../src/text/tenures-table.js';

const HOSTILE = 'a\u001b[31m\u0007b\u202e\nc';
const bytes = (text: string) => new TextEncoder().encode(text);

function lease(partition: number, change: Partial<LeaseStatus> = {}): LeaseStatus {
  return {
    partition,
    owner: { session: 'S1', name: 'a', host: 'h', pid: 1 },
    epoch: 10 + partition,
    reason: 'claim',
    from: null,
    heldForMs: 1_000,
    position: 5,
    end: 5,
    positionFault: null,
    overrideUnreadable: false,
    lag: 0,
    trimmed: 0,
    positionAgeMs: 100,
    paused: false,
    pin: null,
    rate: 0,
    expiresInMs: 9_000,
    state: 'running',
    ...change,
  };
}

function member(session: string, change: Partial<MemberStatus> = {}): MemberStatus {
  return {
    session,
    name: session.toLowerCase(),
    host: 'h',
    pid: 1,
    version: '1.0.0',
    startedAt: '2026-01-01T00:00:00.000Z',
    leaving: false,
    ttlMs: 10_000,
    expiresInMs: 9_000,
    answer: 'answered',
    stats: null,
    partitions: [],
    lag: 0,
    ...change,
  };
}

const none = { maxLag: undefined, stalled: new Map<number, number>() };
const kinds = (status: GroupStatus, limits: Parameters<typeof checkGroup>[1] = none) =>
  checkGroup(status, limits).map(({ kind, partition }) =>
    partition === null ? kind : `${kind} p${partition}`,
  );

describe('a table', () => {
  const columns = [{ title: 'A' }, { title: 'BB', giveWay: 2 }, { title: 'CCC', giveWay: 1 }, { title: 'D' }];
  const rows = [['a', 'b', 'c', 'd']];

  it('leaves out what matters least until it fits, and never the rest', () => {
    assert.deepEqual(formatTable(columns, rows), ['A  BB  CCC  D', 'a  b   c    d']);
    assert.deepEqual(formatTable(columns, rows, 13), ['A  BB  CCC  D', 'a  b   c    d']);
    assert.deepEqual(formatTable(columns, rows, 12), ['A  BB  D', 'a  b   d']);
    assert.deepEqual(formatTable(columns, rows, 7), ['A  D', 'a  d']);
    assert.deepEqual(formatTable(columns, rows, 1), ['A  D', 'a  d']);
  });

  it('lines up what takes two columns a character, or none', () => {
    const wide = [
      ['\u4ed5\u4e8b', '1', 'x'],
      ['cafe\u0301', '\u4e8c', 'x'],
      ['plain', '333', 'x'],
    ];
    const [left, right, last] = [{ title: 'N' }, { title: 'V', align: 'right' as const }, { title: 'L' }];
    const lines = formatTable([left, right, last], wide);
    assert.deepEqual(lines, [
      'N        V  L',
      '\u4ed5\u4e8b     1  x',
      'cafe\u0301    \u4e8c  x',
      'plain  333  x',
    ]);
    assert.deepEqual(new Set(lines.map(textWidth)), new Set([13]));
    const giving = [{ ...left, giveWay: 1 }, right, last];
    assert.deepEqual(formatTable(giving, wide, 13), lines);
    assert.equal(formatTable(giving, [['\u4ed5\u4e8b\u4eba', '333', 'x']], 13)[0], '  V  L');
    assert.deepEqual(
      formatPairs([
        ['\u540d', '1'],
        ['key', '2'],
      ]),
      ['\u540d   1', 'key  2'],
    );
  });
});

describe('the summary of a group', () => {
  it('says how many of the members are not well, in the words of the table', () => {
    const members = [
      member('S1'),
      member('S2', { leaving: true }),
      member('S3', { answer: 'gone' }),
      member('S4', { answer: 'silent' }),
      member('S5', { answer: 'gone', expiresInMs: -1 }),
      member('S6', { answer: 'silent', expiresInMs: -1 }),
    ];
    const summary = summarise({ leases: [], members });
    assert.equal(summary.split(' \u00b7 ')[0], '6 members (2 unreachable, 1 expired, 1 silent)');
    for (const [word, count] of [
      ['unreachable', 2],
      ['expired', 1],
      ['silent', 1],
    ] as const) {
      const marked = formatMembers({ leases: [], members }).filter(
        (line) => /^!/.test(line) && line.endsWith(word),
      );
      assert.equal(marked.length, count, word);
    }
    assert.match(summarise({ leases: [], members: members.slice(0, 1) }), /^1 member \u00b7/);
  });
});

describe('leases check', () => {
  it('finds nothing wrong with a healthy group, also while partitions start and drain or are paused', () => {
    const leases = ['running', 'idle', 'starting', 'draining', 'paused', 'owned'].map((state, i) =>
      lease(i, { state }),
    );
    assert.deepEqual(kinds({ leases, members: [member('S1')] }, { ...none, maxLag: 0 }), []);
  });

  it('names what is wrong with a partition', () => {
    const wrong = ['unowned', 'orphaned', 'expired', 'unreachable', 'silent', 'halted', 'unreadable'];
    const leases = wrong.map((state, i) => lease(i, { state }));
    assert.deepEqual(kinds({ leases, members: [member('S1')] }), [
      'unowned p0',
      'owner-lost p1',
      'owner-lost p2',
      'owner-lost p3',
      'owner-silent p4',
      'halted p5',
      'unreadable p6',
    ]);
  });

  it('says of a position that is wrong why, and what cures it, whatever its owner does', () => {
    const beyond = { positionFault: 'beyond-end', position: 1_042, end: 17, lag: null } as const;
    const leases = ['waiting', 'starting', 'idle'].map((state, i) => lease(i, { ...beyond, state }));
    assert.deepEqual(kinds({ leases, members: [member('S1')] }), [
      'beyond-end p0',
      'beyond-end p1',
      'beyond-end p2',
    ]);
    const unreadable = (['broken', 'newer'] as const).map((positionFault, i) =>
      lease(i, { positionFault, state: 'halted', position: null, lag: null }),
    );
    const findings = checkGroup({ leases: unreadable, members: [member('S1')] }, none);
    assert.deepEqual(
      findings.map(({ kind, message }) => [kind, message]),
      [
        ['unreadable', 'p0: its position cannot be read: "leases seek" says where to go on'],
        ['unreadable', 'p1: its position was written by a newer version of natspoc, which has to handle it'],
      ],
    );
    const override = [lease(0, { overrideUnreadable: true })];
    assert.deepEqual(kinds({ leases: override, members: [member('S1')] }), ['unreadable p0']);
    assert.deepEqual(kinds({ leases: [lease(0, { state: 'waiting' })], members: [member('S1')] }), [
      'retrying p0',
    ]);
  });

  it('finds lag and standstill where asked', () => {
    const leases = [lease(0, { lag: 1_100 }), lease(1, { lag: 1 }), lease(2, { lag: 10 })];
    const limits = { maxLag: 10, stalled: new Map([[1, 61_000]]) };
    const status = { leases, members: [member('S1')] };
    assert.deepEqual(kinds(status, limits), ['lag p0', 'stalled p1']);
    assert.deepEqual(
      checkGroup(status, limits).map(({ message }) => message),
      ['p0: 1,100 messages wait, more than 10', 'p1: 1 message waits, and no progress for 1m 1s'],
    );
  });

  it('takes for standstill what has waited long behind an old commit, or behind none, and asks about nothing else', async () => {
    const old = { lag: 1, positionAgeMs: 3_600_000 };
    const leases = [
      lease(0, { ...old, position: 7 }),
      // It came just now, after an hour of quiet.
      lease(1, { ...old, position: 8 }),
      // Nothing was ever committed.
      lease(2, { lag: 2, position: null, positionAgeMs: null }),
      lease(3, { lag: 2, position: null, positionAgeMs: null }),
      // It was dropped by the stream meanwhile.
      lease(4, { ...old, position: 9 }),
      // Nothing is asked about these.
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
    const stalled = await readStalled({ storedAt }, leases, 60_000);
    assert.deepEqual(asked.sort(), Object.keys(waitedMs));
    assert.deepEqual([...stalled.keys()].sort(), [0, 2]);
    // Since the message came, not since the commit.
    assert.ok(Math.abs((stalled.get(0) ?? 0) - 61_000) < 10_000, String(stalled.get(0)));
  });

  it('finds imbalance, unless somebody has pinned partitions, and sessions that have missed a renewal', () => {
    const members = [member('S1'), member('S2'), member('S3', { leaving: true })];
    assert.deepEqual(kinds({ leases: [lease(0), lease(1)], members }), ['imbalance']);
    assert.deepEqual(kinds({ leases: [lease(0), lease(1, { pin: 'a' })], members }), []);
    assert.deepEqual(kinds({ leases: [lease(0)], members: [member('S1', { expiresInMs: 3_000 })] }), [
      'near-expiry',
    ]);
  });

  it('keeps the line of a monitoring plugin in form whatever names people choose', () => {
    const leases = [
      lease(0, { state: 'silent', owner: { session: 'S1', name: 'a|b\n', host: 'h', pid: 1 } }),
    ];
    const status = { leases, members: [member('S1')] };
    const line = formatNagios('EVENTS, group g', status, checkGroup(status, none));
    assert.match(line, /^NATSPOC WARNING - [^|\n]*a\/b\\u000a[^|\n]* \| members=1 owned=1;;;0;1 lag=0$/);
  });
});

describe('what a check could not find out', () => {
  it('is one line of a monitoring plugin, whatever is in the message', () => {
    const { line, exitCode } = unknownToNagios(new Error('no|\u001b[2J\nanswer'));
    assert.equal(line, 'NATSPOC UNKNOWN - no/\\u001b[2J answer');
    assert.equal(exitCode, 3);
  });
});

describe('leases list', () => {
  it('marks what needs somebody without colour, and escapes names', () => {
    const [, healthy, unowned] = formatLeases({
      leases: [
        lease(0, { owner: { session: 'S1', name: HOSTILE, host: HOSTILE, pid: 1 } }),
        lease(1, { state: 'unowned', owner: null, heldForMs: null, expiresInMs: null }),
      ],
      members: [],
    });
    assert.match(healthy ?? '', /^ {2}p0 .*a\\u001b\[31m\\u0007b\\u202e\\u000ac/);
    assert.match(unowned ?? '', /^! p1 .* unowned$/);
  });
});

describe('what is listed on a narrow terminal', () => {
  const widest = (lines: readonly string[]) => Math.max(...lines.map(({ length }) => length));
  const leases = [lease(0)];
  const long = { name: 'worker-17.example', host: 'worker-17.example.internal', pid: 123_456 };
  const members = [member('S'.repeat(22), { ...long, answer: 'gone', lag: 1_234, partitions: [0] })];

  it('names what the stream dropped below the table, where it has', () => {
    const leases = Array.from({ length: 10 }, (_, i) => lease(i, { trimmed: i === 0 ? 0 : 1_000 }));
    assert.deepEqual(formatLeases({ leases: leases.slice(0, 2), members: [] }).slice(3), [
      '! dropped by the stream before handled, at most: p1 1,000',
    ]);
    assert.match(formatLeases({ leases, members: [] }).at(-1) ?? '', /p8 1,000 and 1 more$/);
    assert.equal(formatLeases({ leases: [lease(0)], members: [] }).length, 2);
  });

  it('members leave columns out, never their name, their share and how they are', () => {
    assert.ok(widest(formatMembers({ leases, members })) > 60);
    const lines = formatMembers({ leases, members }, 60);
    assert.ok(widest(lines) <= 60, lines.join('\n'));
    assert.match(lines[1] ?? '', /^! worker-17\.example +1 +1,234 .*unreachable$/);
  });

  it('the owners of a partition leave columns out, never since when and the gap', () => {
    const tenure = { session: 'S', reason: 'claim', at: '2026-01-01T00:00:00.000Z', heldMs: 61_000 } as const;
    const lines = formatTenures(
      [{ ...tenure, epoch: 7, owner: 'worker-17', from: 'worker-3', gapMs: 900 }],
      60,
    );
    assert.ok(widest(lines) <= 60, lines.join('\n'));
    assert.match(lines[1] ?? '', /^2026-01-01T00:00:00\.000Z {2}worker-17 .*<= 900 ms$/);
  });

  it('a long value goes on below itself, broken between words', () => {
    const pairs = [['Layout', '8 partitions of subject.events.p.N, keys by fnv1a32'] as const];
    assert.deepEqual(formatPairs(pairs, 36), [
      'Layout  8 partitions of',
      '        subject.events.p.N, keys by',
      '        fnv1a32',
    ]);
  });
});

describe('partitions as people type them', () => {
  it('are numbers, with or without p, ranges and lists', () => {
    assert.deepEqual(parsePartitions(['3', 'p1', '4-5', 'p6-p7,0'], 8), [0, 1, 3, 4, 5, 6, 7]);
  });

  for (const text of ['8', 'x', '3-1', '-1', '1.5', '0-8', '']) {
    it(`are refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePartitions([text], 8), { code: 'usage' });
    });
  }

  it('are named in exactly one way', () => {
    assert.throws(() => choosePartitions({ named: [] }, 8, undefined), { code: 'usage' });
    assert.throws(() => choosePartitions({ named: ['1'], all: true }, 8, undefined), { code: 'usage' });
    assert.deepEqual(choosePartitions({ named: [], all: true }, 3, undefined), [0, 1, 2]);
  });
});

describe('orders to members', () => {
  it('are read with care: whatever comes is an order or nothing', () => {
    assert.deepEqual(decodeRelease(bytes('{"partitions":[3],"to":"b"}')), { partitions: [3], to: 'b' });
    assert.deepEqual(decodeRelease(bytes('{"partitions":"all"}')), { partitions: 'all', to: null });
    for (const bad of [
      '',
      '[]',
      '{"partitions":[-1]}',
      '{"partitions":["3"]}',
      '{"partitions":[1],"to":7}',
      '{',
    ]) {
      assert.equal(decodeRelease(bytes(bad)), undefined, bad);
    }
    fc.assert(
      fc.property(fc.uint8Array(), fc.json(), (noise, json) => {
        for (const decode of [decodeRelease, decodeControlAnswer]) {
          decode(noise);
          decode(bytes(json));
        }
      }),
    );
  });

  it('go to the subjects that permissions are written for', () => {
    assert.equal(memberSubject('EVENTS', 'default', 'S1', 'stop'), 'natspoc.EVENTS.default.S1.stop');
  });
});

/** A partition's messages by their sequences in the stream. */
const counting = (sequences: readonly number[]) => ({
  waiting: async (partition: number, after: number) => ({
    partition,
    after,
    count: sequences.filter((sequence) => sequence > after).length,
  }),
  sequences: async (_partition: number, after: number, limit: number) =>
    sequences.filter((sequence) => sequence > after).slice(0, limit),
  storedTime: async (): Promise<number | undefined> => undefined,
});

describe('seek', () => {
  it('reads where to go', () => {
    assert.deepEqual(parseSeekTarget('seq:7'), { kind: 'sequence', sequence: 7 });
    assert.deepEqual(parseSeekTarget('-100'), { kind: 'relative', messages: -100 });
    for (const bad of [
      '',
      'seq:0',
      'seq:x',
      'seq:99999999999999999',
      'time:x',
      'time:5',
      '100',
      '-0',
      '--1',
      'First',
    ]) {
      assert.throws(() => parseSeekTarget(bad), { code: 'usage' }, bad);
    }
  });

  it('finds the sequence so that exactly so many messages are repeated or skipped, whatever lies between them', async () => {
    const cases = fc.record({
      sequences: fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 }),
      at: fc.nat(),
      by: fc.integer({ min: -80, max: 80 }).filter((by) => by !== 0),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ sequences, at, by }) => {
        const sorted = [...sequences].sort((a, b) => a - b);
        const handled = (at % sorted.length) + 1;
        const position = sorted[handled - 1] ?? 0;
        const stream = { firstSequence: sorted[0] ?? 1, lastSequence: 300 };
        const source = { observer: counting(sorted), stream, sequenceAt: async () => undefined };
        const step = await planSeek(source, 0, { sequence: position }, { kind: 'relative', messages: by });
        const left = sorted.length - handled;
        assert.equal(step.repeated, by < 0 ? Math.min(-by, handled) : 0);
        assert.equal(step.skipped, by > 0 ? Math.min(by, left) : 0);
      }),
    );
  });

  it('counts right while messages keep coming', async () => {
    const sequences = Array.from({ length: 50 }, (_, i) => i + 1);
    const { waiting, sequences: listed } = counting(sequences);
    const observer = {
      // Each question finds one message more than the one before.
      waiting: async (partition: number, after: number) => {
        sequences.push(sequences.length + 1);
        return waiting(partition, after);
      },
      sequences: listed,
      storedTime: async () => undefined,
    };
    const source = {
      observer,
      stream: { firstSequence: 1, lastSequence: 50 },
      sequenceAt: async () => undefined,
    };
    const back = await planSeek(source, 0, { sequence: 40 }, { kind: 'relative', messages: -10 });
    assert.deepEqual([back.to, back.repeated], [30, 10]);
    const on = await planSeek(source, 0, { sequence: 30 }, { kind: 'relative', messages: 10 });
    assert.deepEqual([on.to, on.skipped], [40, 10]);
  });

  it('counts from no position that is wrong', async () => {
    const source = {
      observer: counting([1, 2, 3]),
      stream: { firstSequence: 1, lastSequence: 3, createdAtMs: 5_000 },
      sequenceAt: async () => 1,
    };
    const anew = { sequence: 2, created: 1_000 };
    for (const position of [{ sequence: 4 }, anew, 'unreadable'] as const) {
      for (const target of ['-1', '+1']) {
        await assert.rejects(planSeek(source, 7, position, parseSeekTarget(target)), /^NatspocError: p7: /);
      }
      const { to, from } = await planSeek(source, 7, position, { kind: 'first' });
      assert.deepEqual([from, to], [position === 'unreadable' ? null : position.sequence, 0]);
    }
  });

  it('never goes beyond the last message that is stored', async () => {
    const source = {
      observer: counting([1, 2, 3]),
      stream: { firstSequence: 1, lastSequence: 3 },
      sequenceAt: async () => 100,
    };
    for (const target of ['seq:50', 'time:2030-01-01T00:00:00Z', 'last', '+50']) {
      assert.equal((await planSeek(source, 0, { sequence: 1 }, parseSeekTarget(target))).to, 3, target);
    }
    assert.deepEqual(await planSeek(source, 0, null, { kind: 'first' }), {
      partition: 0,
      from: null,
      to: 0,
      skipped: 0,
      repeated: 0,
    });
  });
});

describe('stream trim', () => {
  /** A stream whose partitions hold so many messages each, of these sequences. */
  const stream = (sequences: number[], counts: number[]) =>
    ({
      ...counting(sequences),
      stream: async () => ({ counts, lastSequence: sequences.at(-1) }),
      ends: async () => counts.map((_, partition) => ({ partition, sequence: sequences.at(-1), atMs: 0 })),
    }) as unknown as Parameters<typeof planTrim>[1];
  /** A group with these positions, or what stands in their place. */
  const group = (positions: Record<number, number | 'broken'>, stored?: number) =>
    ({
      positions: async () =>
        Object.entries(positions).map(([partition, found]) => ({
          partition: Number(partition),
          sequence: found === 'broken' ? 0 : found,
          epoch: 1,
          atMs: 0,
          ...(found === 'broken' && { unreadable: found }),
          ...(stored !== undefined && { stored }),
        })),
    }) as unknown as Parameters<typeof planTrim>[0] extends ReadonlyMap<string, infer O> ? O : never;

  it('deletes nothing for a position that is wrong, and says whose it is', async () => {
    const observers = new Map([
      ['sound', group({ 0: 30, 1: 30, 2: 30 })],
      ['of another stream', group({ 0: 31, 1: 'broken', 2: 20 })],
    ]);
    const steps = await planTrim(observers, stream([10, 20, 30], [3, 3, 3]));
    assert.deepEqual(
      steps.map(({ upTo, messages, heldBackBy, fault }) => [upTo, messages, heldBackBy, fault]),
      [
        [null, 0, 'of another stream', 'beyond-end'],
        [null, 0, 'of another stream', 'broken'],
        [20, 2, 'of another stream', null],
      ],
    );
  });

  it('deletes nothing for a position whose sequence was used again', async () => {
    const streams = { ...stream([10, 20, 30], [3, 3]), storedTime: async (sequence: number) => sequence };
    const observers = new Map([['before', group({ 0: 20, 1: 30 }, 20)]]);
    const steps = await planTrim(observers, streams);
    assert.deepEqual(
      steps.map(({ upTo, fault }) => [upTo, fault]),
      [
        [20, null],
        [null, 'other-stream'],
      ],
    );
  });

  it('deletes what the slowest group has handled, and nothing where a group has not begun', async () => {
    const observers = new Map([
      ['fast', group({ 0: 30, 1: 30, 2: 30 })],
      ['slow', group({ 0: 20 })],
    ]);
    const steps = await planTrim(observers, stream([10, 20, 30], [3, 3, 0]));
    assert.deepEqual(
      steps.map(({ upTo, messages, kept, heldBackBy }) => [upTo, messages, kept, heldBackBy]),
      [
        [20, 2, 1, 'slow'],
        [null, 0, 3, 'slow'],
        [null, 0, 0, 'slow'],
      ],
    );
  });
});

describe('leases history', () => {
  const at = (
    atMs: number,
    revision: number,
    owner: string | null,
    reason: 'claim' | 'handover' | 'release',
  ) => ({
    atMs,
    entry: {
      kind: 'lease' as const,
      partition: 3,
      revision,
      record: { v: 1, owner, name: owner ?? '', reason, from: null, at: '' },
    },
  });
  const sign = (atMs: number, id: string) => ({
    atMs,
    entry: { kind: 'proof' as const, id, revision: atMs, ended: false },
  });

  it('says how long nobody can have handled the partition before a claim', () => {
    const past = [
      at(1_000, 1, 'A', 'claim'),
      sign(4_000, 'A'),
      at(5_500, 2, 'B', 'claim'),
      at(9_000, 3, 'C', 'handover'),
    ];
    const tenures = readTenures(past, 3, 10_000);
    assert.deepEqual(
      tenures.map(({ owner, heldMs, gapMs }) => [owner, heldMs, gapMs]),
      [
        ['A', 4_500, null],
        ['B', 3_500, 1_500],
        ['C', 1_000, 0],
      ],
    );
  });

  it('does not take the whole time that a dead owner held it for a gap, where its renewals are gone', () => {
    const ended = {
      atMs: 5_400,
      entry: { kind: 'proof' as const, id: 'A', revision: 9, ended: true },
    };
    const past = [at(1_000, 1, 'A', 'claim'), ended, at(5_500, 2, 'B', 'claim')];
    assert.deepEqual(
      readTenures(past, 3, 6_000).map(({ owner, gapMs }) => [owner, gapMs]),
      [
        ['A', null],
        ['B', null],
      ],
    );
    assert.match(formatTenures(readTenures(past, 3, 6_000))[2] ?? '', /\?$/);
  });

  it('counts in whole milliseconds, and takes no gap for none', () => {
    const past = [
      at(1_000.2, 1, null, 'release'),
      at(1_000.5, 2, 'A', 'claim'),
      at(3_000.9, 3, 'B', 'handover'),
    ];
    assert.deepEqual(
      readTenures(past, 3, 5_000).map(({ heldMs, gapMs }) => [heldMs, gapMs]),
      [
        [1, 0],
        [2_001, 1],
        [2_000, 0],
      ],
    );
  });

  it('knows that nobody had a partition that was let go', () => {
    const tenures = readTenures([at(1_000, 1, null, 'release'), at(3_000, 2, 'B', 'claim')], 3, 3_000);
    assert.deepEqual(
      tenures.map(({ owner, gapMs }) => [owner, gapMs]),
      [
        [null, 0],
        ['B', 2_000],
      ],
    );
  });
});

describe('messages on a terminal', () => {
  const stored = (data: Uint8Array, key: string | null = HOSTILE): StoredMessage => ({
    sequence: 7,
    subject: `s.p.3${HOSTILE}`,
    partition: 3,
    key,
    atMs: 0,
    headers: [['X', HOSTILE]],
    data,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

  it('carry no control character, whatever is in key, headers, subject and payload', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.string({ unit: 'binary' }), (data, key) => {
        for (const line of [
          ...formatMessage(stored(data, key)),
          formatMessageLine(stored(data, key), undefined),
        ]) {
          assert.doesNotMatch(line, CONTROL);
        }
      }),
    );
  });

  it('fit into the width of the terminal, also where the payload is long or a character is cut', () => {
    for (const columns of [20, 60, 80]) {
      for (const character of ['ü', '仕']) {
        const line = formatMessageLine(stored(bytes(character.repeat(5_000)), 'k'), columns);
        assert.ok(textWidth(line) <= columns, `${textWidth(line)} > ${columns}`);
      }
    }
    assert.match(formatMessageLine(stored(bytes('ü'.repeat(5_000)), 'k'), 80), /ü…$/);
    assert.match(formatMessageLine(stored(new Uint8Array([0xff, 0xfe]), 'k'), undefined), /\(not text\)$/);
  });

  it('are whole in JSON: text as text, bytes as base64', () => {
    assert.match(JSON.stringify(messageJson(stored(bytes(HOSTILE)))), /"data":"a\\u001b/);
    assert.match(JSON.stringify(messageJson(stored(new Uint8Array([0xff])))), /"data_base64":"\/w=="/);
  });
});
