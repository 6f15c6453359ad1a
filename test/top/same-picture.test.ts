import assert from 'node:assert/strict';
import { readGroupStatus } from '../../src/core/admin/read-group-status.js';
import type { PastEntry } from '../../src/core/ports/facts.js';
import type { GroupObserver } from '../../src/core/ports/observer.js';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import { groupJson } from '../../src/text/json.js';
import { formatLeases } from '../../src/text/lease-table.js';
import { healthOf } from '../../src/top/model/health.js';
import { statusOf } from '../../src/top/model/select.js';
import { partitionTable } from '../../src/top/view/partitions.js';
import { plain } from '../../src/top/view/text.js';
import { gone, group, lease, override, play, session, stats, streamFacts, T0 } from './support.js';

/** Member b has neither a subscriber nor a recent renewal, so it is unreachable. */
const renewedAgoMs = (id: string): number => (id === 'b' ? 2_000 : 100);

const proofOf = (id: string) => ({ kind: 'proof', id, revision: 900, ended: false }) as const;

/** What `leases` reads: the facts that `top` gets as events. */
function observer(
  entries: ViewEntry[],
  answers: ReturnType<typeof stats>[],
  silent: string[],
): GroupObserver {
  const past: PastEntry[] = entries.map((entry) => ({ atMs: Date.now() - 60_000, entry }));
  const unused = () => Promise.reject(new Error('not asked for'));
  return {
    watch: () => ({ stop: () => {} }),
    entries: async () => past,
    proofs: async () =>
      entries.flatMap((entry): PastEntry[] =>
        entry.kind === 'session' && entry.record !== null
          ? [{ atMs: Date.now() - renewedAgoMs(entry.id), entry: proofOf(entry.id) }]
          : [],
      ),
    positions: async () => [{ partition: 0, sequence: 9, epoch: 100, atMs: Date.now() - 1_000 }],
    ends: async () => [0, 1, 2, 3, 4].map((partition) => ({ partition, sequence: 9, atMs: 0 })),
    stream: async () => streamFacts(5),
    waiting: async (partition, after) => ({ partition, after, count: 3 }),
    stats: async (asked) => ({
      members: answers.filter((each) => asked.includes(each.session)),
      gone: asked.filter((id) => !silent.includes(id) && !answers.some((each) => each.session === id)),
    }),
    ...{ history: unused, leaseHistory: unused, deadLetters: unused, readers: unused },
    ...{
      storedTime: async () => undefined,
      job: async () => undefined,
      start: async () => null,
      sequences: unused,
      storedAt: unused,
      messages: unused,
    },
  };
}

describe('one description of a group', () => {
  const entries = [
    ...[session('a', 1), session('b', 2), session('c', 3), session('d', 4)],
    { kind: 'session', id: 'x', revision: 5, record: 'unreadable' } as const,
    ...[
      lease(0, 100, 'a'),
      lease(1, 101, 'b'),
      lease(2, 102, 'c'),
      lease(3, 103, 'lost'),
      lease(4, 104, 'x'),
    ],
    override(0, 105, { pin: 'a', paused: true }),
  ];
  const answer = stats('a', { partitions: [{ partition: 0, epoch: 100, position: 9, state: 'paused' }] });
  const answers = [answer, stats('d')];

  it('leases and top describe a group in the same way: states, owners and the names of all fields', async () => {
    const told = groupJson(await readGroupStatus(observer(entries, answers, ['c']), 5));
    const asked = (ms: number) =>
      [ms, { type: 'stats', facts: { members: answers, gone: ['b', 'x'] } }] as [number, never];
    const proofs = ['a', 'b', 'c', 'd', 'x'].map((id) => ({
      atMs: T0 + 6_000 - renewedAgoMs(id),
      entry: proofOf(id),
    }));
    const model = play([
      ...group(0, 5).slice(0, 3),
      [0, { type: 'snapshot', entries }],
      ...[asked(500), asked(5_950)],
      [6_000, { type: 'proofs', proofs }],
    ]);
    const drawn = groupJson(statusOf(model));
    const states = (status: typeof told) => status.partitions.map(({ state }) => state);
    assert.deepEqual(states(told), ['paused', 'unreachable', 'silent', 'orphaned', 'owned']);
    assert.deepEqual(states(drawn), states(told));
    const last = (texts: string[]) => texts.map((text) => text.trimEnd().split(/ {2,}/).at(-1));
    const shown = partitionTable(model, statusOf(model).partitions, { width: 200 }).rows;
    // The message that holds up a partition is shown below its row.
    const listed = formatLeases(statusOf(model)).filter((text) => /^. p\d/.test(text));
    assert.deepEqual(last(shown.map(plain)), last(listed));
    assert.deepEqual(drawn.members.map(stateAndShare), told.members.map(stateAndShare));
    const { lag: _, ...totals } = told.totals;
    assert.deepEqual({ ...drawn.totals, lag: null }, { ...totals, lag: null });
    for (const list of ['partitions', 'members'] as const) {
      const fields = (status: typeof told) => Object.keys(status[list][0] ?? {}).sort();
      assert.deepEqual(fields(drawn), fields(told));
      // The names of durations must end in Ms, not in For. `reservedFor` is the name of a member, not a duration.
      for (const field of fields(told).filter((each) => each !== 'reservedFor'))
        assert.doesNotMatch(field, /^seq$|^rate$|For$/);
    }
  });

  it('a partition is called stalled if its owner reports no progress', () => {
    const standing = [{ partition: 0, reason: 'messages wait, but none arrives', forMs: 61_000 }];
    const facts = { members: [stats('a', { standing })], gone: [] };
    assert.deepEqual(healthOf(play([...group(1, 1), [900, { type: 'stats', facts }]])), {
      level: 'bad',
      text: 'p0 has made no progress for 1m 1s: messages wait, but none arrives',
    });
  });

  it('a member is called silent after some time without an answer', () => {
    const facts = { members: [], gone: [] };
    const asked = (...times: number[]) =>
      play([...group(1, 1), ...times.map((ms): [number, never] => [ms, { type: 'stats', facts } as never])]);
    assert.equal(statusOf(asked(500, 4_000)).members[0]?.state, 'live');
    assert.equal(statusOf(asked(500, 5_600)).members[0]?.state, 'silent');
    assert.equal(
      statusOf(play([[100, { type: 'changes', entries: [gone('a', 900)] }]], asked(500))).partitions[0]
        ?.state,
      'orphaned',
    );
  });
});

function stateAndShare(member: object): unknown {
  const {
    session: id,
    state,
    partitions,
  } = member as { session: string; state: string; partitions: number[] };
  return [id, state, partitions];
}
