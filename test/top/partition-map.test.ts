import assert from 'node:assert/strict';
import type { PartitionStats } from '../../src/core/protocol/member-stats.js';
import type { Model } from '../../src/top/model/model.js';
import { partitionRows } from '../../src/top/model/select.js';
import { press } from '../../src/top/screen/keys.js';
import { cursorOf } from '../../src/top/screen/rows.js';
import { bodyRoom } from '../../src/top/ui/screen.js';
import { showsMap } from '../../src/top/view/layout.js';
import { mapHeight, partitionMap } from '../../src/top/view/partition-map.js';
import { lineWidth, plain } from '../../src/top/view/text.js';
import { worstLines } from '../../src/top/view/worst.js';
import { drawn, uiWith } from './drawn.js';
import { group, HELD_UP, lease, play, stats, streamFacts } from './support.js';

function reported(count: number, report: (partition: number) => Partial<PartitionStats>): Model {
  const told = (id: string, first: number) =>
    stats(id, {
      partitions: Array.from({ length: count }, (_, partition) => partition)
        .filter((partition) => partition % 2 === first)
        .map((partition) => ({
          partition,
          epoch: 100 + partition,
          position: 5,
          lag: 0,
          state: 'running',
          ...report(partition),
        })),
    });
  const counts = Array.from({ length: count }, () => 1_000_000);
  return play([
    ...group(2, count),
    [900, { type: 'stream', facts: streamFacts(count, { counts }) }],
    [1_000, { type: 'stats', facts: { members: [told('a', 0), told('b', 1)], gone: [] } }],
  ]);
}

describe('the map of partitions', () => {
  it('the map fits in eight rows at 80 columns up to 256 partitions, and uses the whole width', () => {
    for (const [count, rows] of [
      [8, 2],
      [16, 4],
      [64, 8],
      [256, 8],
    ] as const) {
      assert.equal(mapHeight(count, 80), rows, `${count} partitions`);
      const widths = partitionMap(
        reported(count, () => ({})),
        partitionRows(reported(count, () => ({}))),
        80,
      ).map(lineWidth);
      for (const width of widths)
        assert.ok(width > 72 && width <= 80, `${count} partitions: ${width} columns`);
    }
  });

  it('the map shows owner, lag and state of each partition, in numerical order, however the table is sorted', () => {
    const model = reported(8, (p) => (p === 3 ? { lag: 1_234 } : p === 4 ? { state: 'halted' } : {}));
    const rows = [...partitionRows(model)].reverse();
    const [first, second] = partitionMap(model, rows, 80).map(plain);
    assert.match(first ?? '', /^p0 A {5}0 +p1 B {5}0 +p2 A {5}0 +p3 B 1,234/);
    assert.match(second ?? '', /^p4 A {5}0 halted +p5 B/);
    const many = reported(64, (p) => ({
      lag: p === 1 ? 12 : p === 2 ? 12_345 : 0,
      ...(p === 3 && { state: 'retrying', holdUp: { ...HELD_UP, forMs: 1_000 } }),
    }));
    assert.match(
      plain(partitionMap(many, partitionRows(many), 80)[0] ?? []),
      /^ p0 A {6}p1 B▃ +p2 A█ +p3 B↻/,
    );
    const most = reported(256, (p) => ({ lag: p === 1 ? 12 : 0, ...(p === 2 && { state: 'halted' }) }));
    const [top, next] = partitionMap(most, partitionRows(most), 80).map(plain);
    assert.match(top ?? '', /^ {2}0 {2}A B▃A!B A B A B {3,}A B/);
    assert.match(next ?? '', /^ 32 {2}A B /);
  });

  it('the map marks a partition without an owner, and dims it if no message waits', () => {
    const model = reported(8, (p) => ({ lag: p }));
    const lost = play(
      [[2_000, { type: 'changes', entries: [lease(0, 900, null), lease(1, 901, null)] }]],
      model,
    );
    const empty = play(
      [
        [
          2_100,
          {
            type: 'waiting',
            waiting: [
              { partition: 0, after: 5, count: 0 },
              { partition: 1, after: 5, count: 7 },
            ],
          },
        ],
      ],
      lost,
    );
    const [cells = []] = partitionMap(empty, partitionRows(empty), 80);
    const marks = cells.filter(({ text }) => text === '·');
    assert.deepEqual(
      marks.map(({ dim, color }) => [dim, color]),
      [
        [true, undefined],
        [undefined, 'red'],
      ],
    );
  });

  it('the worst partitions are described in words, or the partitions with the most waiting messages if all are well', () => {
    const model = reported(256, (p) => ({
      lag: p === 9 ? 7_000 : 0,
      ...(p === 77 && { state: 'retrying', holdUp: HELD_UP }),
    }));
    const [worst] = worstLines(model, 3).map(plain);
    assert.match(worst ?? '', /^p77 B b lag 0 {2}retrying 7\/100 in 12 s: connection refused/);
    const screen = drawn(model, uiWith(), { columns: 80, rows: 24 }).join('\n');
    assert.match(screen, /\np77 B b lag 0 {2}retrying 7\/100 in 12 s: connection refused\n/);
    const well = reported(256, (p) => ({ lag: [0, 9, 0, 7_000, 40][p] ?? 0 }));
    assert.deepEqual(worstLines(well, 1).map(plain), ['most lag  p3 B 7,000   p4 A 40   p1 B 9']);
    assert.deepEqual(
      worstLines(
        reported(8, () => ({})),
        1,
      ).map(plain),
      ['no messages wait'],
    );
    const halted = reported(64, (p) => (p < 9 ? { state: 'halted' } : {}));
    assert.deepEqual(worstLines(halted, 5).length, 5);
    assert.match(plain(worstLines(halted, 5)[4] ?? []), /^\(\+4 more\) p4 A a/);
  });

  it('the arrow keys follow the drawn order of the partitions, in the map, the table and the timeline', () => {
    const model = reported(8, (p) => ({ lag: p === 5 ? 900 : p === 2 ? 700 : 0 }));
    for (const [changes, rows, drawnAs] of [
      [{}, 24, 'map'],
      [{}, 60, 'table'],
      [{ zoom: true }, 24, 'table'],
      [{ focus: 'timeline' }, 60, 'map'],
      [{ focus: 'timeline', filter: 'p' }, 60, 'map'],
    ] as const) {
      let ui = uiWith({ partitionSort: 'lag', ...changes });
      const size = { columns: 80, rows };
      const isMap = showsMap(model, ui, bodyRoom(model, ui, size));
      const titled = ui.focus === 'timeline' ? '▶ Timeline' : '▶ Partitions';
      const text = drawn(model, ui, size).join('\n');
      const [panel = ''] = text.slice(text.indexOf(titled)).split(/\n─|\nmost lag/);
      const order = [...panel.matchAll(/\bp(\d)\b/g)].map(([, partition]) => partition);
      const moved = order.map(() => {
        ui = press({ ui, model, page: 5, helpEnd: 0, isMap }, 'down').ui;
        return ui.selected[ui.focus];
      });
      const about = `${drawnAs} ${JSON.stringify(changes)}\n${panel}`;
      assert.deepEqual(order.join(''), drawnAs === 'map' ? '01234567' : '52013467', about);
      assert.deepEqual(moved, order, about);
    }
  });

  it('the cursor is on the worst partition until another row is selected', () => {
    const model = reported(64, (p) => (p === 40 ? { state: 'halted' } : p === 3 ? { lag: 9_000 } : {}));
    assert.equal(cursorOf(model, uiWith(), 'partitions'), '40');
    assert.equal(cursorOf(model, uiWith({ selected: { partitions: '3' } }), 'partitions'), '3');
    assert.equal(cursorOf(model, uiWith({ focus: 'members' }), 'partitions'), undefined);
    assert.equal(
      cursorOf(
        reported(64, () => ({})),
        uiWith(),
        'partitions',
      ),
      undefined,
    );
  });
});
