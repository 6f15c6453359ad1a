import assert from 'node:assert/strict';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { Model } from '../../src/top/model/model.js';
import { press } from '../../src/top/screen/keys.js';
import type { Outcome } from '../../src/top/screen/outcome.js';
import { plain } from '../../src/top/view/text.js';
import { worstLines } from '../../src/top/view/worst.js';
import { drawn, uiWith } from './drawn.js';
import { gone, HELD_UP, lease, play, session, stats, streamFacts } from './support.js';

/** A group whose members have these names, and the sessions s0, s1, …. */
function groupOf(names: readonly string[], later: readonly ViewEntry[] = [], partitions = 16): Model {
  const owner = (p: number): string => `s${p % names.length}`;
  const nameAt = (id: string): string => names[Number(id.slice(1))] ?? '';
  const named = (entry: ViewEntry): ViewEntry =>
    entry.kind === 'lease' && entry.record && entry.record !== 'unreadable' && entry.record.owner !== null
      ? { ...entry, record: { ...entry.record, name: nameAt(entry.record.owner) } }
      : entry;
  const entries = [
    ...names.map((name, i) => session(`s${i}`, i + 1, { name })),
    ...Array.from({ length: partitions }, (_, p) => named(lease(p, 100 + p, owner(p)))),
  ];
  const target = { servers: ['nats://h:4222'], stream: 'S', group: 'g', bucket: 'S_leases' };
  const held = { partition: 0, epoch: 100, position: 1, state: 'retrying', holdUp: HELD_UP };
  const answer = stats('s0', { name: nameAt('s0'), partitions: [held] });
  return play([
    [0, { type: 'target', target }],
    [0, { type: 'connected', server: 'h:4222', version: '2.10.0' }],
    [0, { type: 'found', partitions, prefix: 's' }],
    [0, { type: 'snapshot', entries }],
    [0, { type: 'stream', facts: streamFacts(partitions) }],
    [100, { type: 'stats', facts: { members: [answer], gone: [] } }],
    [1_000, { type: 'changes', entries: later.map(named) }],
  ]);
}

const host = (i: number): string => `ip-10-0-12-${i}.eu-central-1.compute.internal-1234${i}`;

describe('long names of members in top', () => {
  it('a question and its answers fit on the smallest screen, with many members and the longest names', () => {
    const names = Array.from({ length: 9 }, (_, i) => `${i}`.repeat(128));
    const model = groupOf(names, [], 72);
    const pressed = (...keys: string[]): Outcome =>
      keys.reduce<Outcome>(
        (before, key) => press({ ui: before.ui, model, page: 5, helpEnd: 0, isMap: false }, key),
        {
          ui: uiWith(),
        },
      );
    for (const keys of [['tab', 'j', 'K'], ['tab', 'j', 'x'], ['a'], ['j', 'r']]) {
      const { ui, said } = pressed(...keys);
      const rows = drawn(model, ui, { columns: 60, rows: 16 });
      assert.ok(ui.dialog, `${keys.join(' ')}: ${said?.text}`);
      assert.equal(rows.length, 16);
      assert.match(rows.join('\n'), /\n(?:Kill -9|Stop|Start|Release)\b.*\ny yes {3}n no\n/s, keys.join(' '));
    }
    const { dialog } = pressed('tab', 'j', 'K').ui;
    assert.match(dialog?.consequences[0] ?? '', /p45 to \S+…\S+, the rest to 2 other members\.$/);
  });

  it('at 80x24, updates show the event, and lines of partitions the state and the reason', () => {
    const names = [host(1), host(2), host(3)];
    const model = groupOf(names, [gone('s2', 400), lease(2, 401, 's1', { reason: 'claim', from: host(3) })]);
    const text = drawn(model, uiWith(), { columns: 80, rows: 24 }).join('\n');
    assert.match(text, /C ip-10-0-12-3…ernal-12343 died: fenced/);
    assert.match(text, /B \S+…\S+ claimed p2 from/);
    assert.match(text, /A \S+…\S+ p0 retrying: connection refused/);
    const [trouble] = worstLines(groupOf(names), 1);
    assert.match(
      plain(trouble ?? []),
      /p0 A ip-10-0-…l-12341 lag \S+ {2}retrying 7\/100 in 12 s: connection/,
    );
  });
});
