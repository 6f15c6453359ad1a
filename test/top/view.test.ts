import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { escapeControl } from '../../src/core/lib/text.js';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { TopEventBody } from '../../src/top/model/events.js';
import type { Model } from '../../src/top/model/model.js';
import { hintsOf, NO_HINTS, withFlags } from '../../src/top/screen/hints.js';
import { rowIds } from '../../src/top/screen/rows.js';
import { PANELS, type PanelId, type Ui } from '../../src/top/screen/state.js';
import { jsonSnapshot } from '../../src/top/snapshot.js';
import { textSnapshot } from '../../src/top/text-snapshot.js';
import { HEADER_ROWS } from '../../src/top/ui/header.js';
import { bodyRoom } from '../../src/top/ui/screen.js';
import { emptyLine } from '../../src/top/view/empty.js';
import { layOut, SMALLEST } from '../../src/top/view/layout.js';
import { textWidth } from '../../src/top/view/text.js';
import { drawn, drawnRows, uiWith } from './drawn.js';
import { letter } from './lists.js';
import { gone, group, HELD_UP, lease, override, play, session, stats, T0 } from './support.js';

const textOf = (model: Model, changes: Partial<Ui>, columns: number, rows: number): string =>
  drawn(model, uiWith(changes), { columns, rows }).join('\n');

// Text that an attacker or a binary payload could put into a key, a payload or a name.
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\r\n\u009b31m\u202egnp.exe';
// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
const STYLE = /\u001b\[\d+m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

const hostileModel = () =>
  play([
    ...group(2, 8),
    [
      10,
      {
        type: 'messages',
        messages: [
          { sequence: 1, partition: 0, subject: 's.p.0', atMs: T0, key: HOSTILE, size: 9, preview: HOSTILE },
        ],
      },
    ],
    [20, { type: 'stats', facts: { members: [stats('a', { name: HOSTILE })], gone: [] } }],
    [50, { type: 'problem', what: 'x', message: HOSTILE }],
  ]);

/** A row of the table of partitions, not of the map. */
const TABLE_ROW = /^p\d+ +\S {2,}(?!p\d)\S/;

const TITLES: Record<PanelId, string> = {
  partitions: 'Partitions',
  members: 'Members',
  updates: 'Status updates',
  messages: 'Recent messages',
  timeline: 'Timeline',
  rates: 'Rates',
  stream: 'Stream',
};

describe('a group that has done a bounded job', () => {
  const done = (...events: [number, TopEventBody][]): Model =>
    play([
      ...group(1, 2),
      [2_000, { type: 'changes', entries: [lease(0, 200, null), lease(1, 201, null), gone('a', 202)] }],
      [3_000, { type: 'job', job: { revision: 203, atMs: T0 + 2_500 } }],
      ...events,
    ]);

  it('a group after a bounded job is described as idle, as "leases" does', () => {
    const json = JSON.parse(JSON.stringify(jsonSnapshot(done(), NO_HINTS)));
    assert.deepEqual(json.health, { ok: true, level: 'ok', reason: 'idle: its job ended 500 ms ago' });
    assert.deepEqual(
      json.partitions.map(({ state, needsAttention }: Record<string, unknown>) => [state, needsAttention]),
      [
        ['idle', false],
        ['idle', false],
      ],
    );
    assert.equal(json.idle.since, new Date(T0 + 2_500).toISOString());
    assert.match(textOf(done(), {}, 100, 30), /● idle: its job ended/);
  });

  it('a group is not idle any more after a member without a bounded job', () => {
    const again = done(
      [4_000, { type: 'changes', entries: [session('b', 300), lease(0, 301, 'b')] }],
      [5_000, { type: 'changes', entries: [lease(0, 302, null), gone('b', 303)] }],
    );
    assert.doesNotMatch(textOf(again, {}, 100, 30), /idle/);
  });
});

describe('a partition that is held up, in top', () => {
  const facts = (handled: number) => ({
    members: [
      stats('a', {
        partitions: [
          { partition: 0, epoch: 100, position: 1, handled: 0, lag: 3, state: 'retrying', holdUp: HELD_UP },
        ],
      }),
      stats('b', { partitions: [{ partition: 1, epoch: 101, position: handled, handled, lag: 9 }] }),
    ],
    gone: [],
  });
  const HALTED = stats('b', {
    partitions: [
      { partition: 1, epoch: 101, position: 20, state: 'halted', holdUp: { ...HELD_UP, why: 'halted' } },
    ],
  });
  const model = play([
    ...group(2, 2),
    [1_000, { type: 'stats', facts: facts(10) }],
    [2_000, { type: 'stats', facts: facts(20) }],
    [2_000, { type: 'looked' }],
  ]);

  it('a held-up partition shows its cause below the table, and cause and commands in the list of problems', () => {
    for (const [columns, rows] of [
      [80, 24],
      [100, 30],
      [160, 50],
    ] as const)
      assert.match(
        textOf(model, {}, columns, rows),
        /\np0 A a lag 3 .*retrying 7\/100 in 12 s: connection refused/,
      );
    const listed = textOf(model, { problems: true }, 80, 24).replace(/\s+/g, ' ');
    assert.match(
      listed,
      /retrying: p0 p0 of a is held up: message 95887 \(key user-7\) failed .*"leases retry 0" tries it now, "leases skip 0 --message 95887"/,
    );
  });

  it('a held-up partition is listed before paused partitions', () => {
    const paused = play([[3_000, { type: 'changes', entries: [override(1, 900, { paused: true })] }]], model);
    const text = textOf(paused, { problems: true }, 100, 30).replace(/\s+/g, ' ');
    assert.match(text, /p0 of a is held up.*p1 is paused by somebody .*"leases resume 1" continues it/);
    const swapped = play(
      [
        [3_000, { type: 'changes', entries: [override(0, 900, { paused: true })] }],
        [4_000, { type: 'stats', facts: { members: [HALTED], gone: [] } }],
      ],
      model,
    );
    const list = textOf(swapped, { problems: true }, 100, 30).replace(/\s+/g, ' ');
    assert.match(list, /p1 of b is halted .*p0 is paused by somebody/);
  });

  it('no time to drain is shown for a held-up partition', () => {
    assert.doesNotMatch(textOf(model, {}, 100, 30), /drain \d/);
    assert.equal(JSON.parse(JSON.stringify(jsonSnapshot(model, NO_HINTS))).totals.drainMs, null);
  });

  it('a held-up partition has no rate any more when its owner is gone', () => {
    const rateOf = (from: Model) =>
      JSON.parse(JSON.stringify(jsonSnapshot(from, NO_HINTS))).partitions[1].ratePerSecond;
    assert.equal(rateOf(model), 10);
    const dead = play([[3_000, { type: 'stats', facts: { members: [], gone: ['a', 'b'] } }]], model);
    assert.equal(rateOf(dead), null);
    const text = textOf(dead, { problems: true }, 100, 30).replace(/\s+/g, ' ');
    assert.match(text, /p1: its owner b is unreachable; no member is left to take over: "natspoc consume /);
  });

  it('commands in messages get the flags of top, and after a change of the group the flags of that group', () => {
    const dead = play([[3_000, { type: 'stats', facts: { members: [], gone: ['a', 'b'] } }]], model);
    const shown = { stream: 'ORDERS', group: 'billing', bucket: 'B', servers: [] };
    const from = { ...dead, target: shown };
    for (const [first, added] of [
      [shown, '--server s:4222 --group billing'],
      [{ stream: 'ORDERS', group: 'other' }, '--server s:4222 --stream ORDERS --bucket B --group billing'],
    ] as const) {
      const hints = { flags: { server: 's:4222', group: first.group }, first };
      const text = textOf(from, { problems: true, hints }, 160, 40).replace(/\s+/g, ' ');
      assert.ok(text.includes(`"natspoc consume ${added}" starts one`), text);
    }
  });

  it('commands in a snapshot, in details and in a dead letter act on the shown stream and group', () => {
    const target = { stream: 'ORDERS', group: 'billing', bucket: 'B', servers: [] };
    const flags = { stream: 'ORDERS', group: 'billing' };
    const hints = hintsOf({ model: { ...play([]), target }, replay: undefined }, flags);
    const gone = { ...play([[0, { type: 'missing', message: 'Run "natspoc consume".' }]]), target };
    assert.match(textSnapshot(gone, 80, hints), /Run "natspoc consume --stream ORDERS --group billing"\./);
    assert.match(
      JSON.stringify(jsonSnapshot(gone, hints)),
      /natspoc consume --stream ORDERS --group billing/,
    );
    const empty = { ...play([...group(0, 2)]), target };
    assert.match(textSnapshot(empty, 80, hints), /"natspoc publish --rate 10 --stream ORDERS"/);
    // Nobody has started a replay for the group that it shows.
    const replay = hintsOf({ model: { ...play([]), target }, replay: () => {} }, {});
    assert.match(textSnapshot(empty, 80, replay), /"natspoc publish --rate 10 --stream ORDERS --bucket B"/);

    const long = {
      sequence: 12,
      partition: 0,
      subject: 's.p.0',
      atMs: T0,
      key: 'k',
      size: 9_000,
      preview: 'x'.repeat(1_000),
    };
    const read = { ...play([...group(1, 2), [10, { type: 'messages', messages: [long] }]]), target };
    const detail = textOf(read, { focus: 'messages', detail: '12', hints }, 60, 20);
    assert.match(detail, /the rest: "natspoc stream get 12 --stream\s+ORDERS"/);
    const json = JSON.stringify(Array.from({ length: 90 }, (_, i) => i));
    const whole = { ...long, size: json.length, preview: json };
    const many = { ...play([...group(1, 2), [10, { type: 'messages', messages: [whole] }]]), target };
    const inLines = (rows: number) => textOf(many, { focus: 'messages', detail: '12', hints }, 90, rows);
    assert.match(inLines(24), / +10,\n… the rest: "natspoc stream get 12 --stream ORDERS"\n/);
    assert.doesNotMatch(inLines(120), /the rest/);
    const shown = { letter: letter(7), original: { headers: {}, data: Buffer.from('pear\n'.repeat(90)) } };
    const inFull = textOf(read, { letters: { rows: [letter(7)], at: 0, shown }, hints }, 80, 24);
    assert.match(inFull, /the rest: "natspoc stream dead 7 --group g --stream ORDERS"\n\n.*Esc goes back/);
  });

  it('a copied command does not run what the name of a group contains', () => {
    const target = { stream: 'S', group: "$(reboot)'s", bucket: 'B', servers: [] };
    const model = { ...play([]), ready: true, target };
    const [{ text } = { text: '' }] = emptyLine('members', model, { filter: '', hints: NO_HINTS });
    assert.match(text, /"natspoc consume --group '\$\(reboot\)'\\''s' --stream S --bucket B"/);
    const hints = { flags: {}, first: { stream: 'S', group: 'other' } };
    const said = withFlags('"natspoc leases release 1 --force" fences it', model, hints);
    assert.ok(said.includes(`--stream S --bucket B --group '$(reboot)'\\''s'"`), said);
  });
});

describe('the view of top', () => {
  it('keys, payloads and names are escaped in every panel, in details and in a snapshot', () => {
    const model = hostileModel();
    for (const focus of PANELS) {
      const rows = drawnRows(model, uiWith({ focus, zoom: true }), { columns: 200, rows: 60 });
      assert.doesNotMatch(rows.join('\n').replaceAll(STYLE, ''), CONTROL);
    }
    const size = { columns: 120, rows: 40 };
    const detail = drawnRows(model, uiWith({ focus: 'messages', zoom: true, detail: '1' }), size).join('\n');
    assert.match(detail, /\\u001b\[2J/);
    assert.doesNotMatch(detail.replaceAll(STYLE, ''), CONTROL);
    assert.doesNotMatch(textSnapshot(model, 160, NO_HINTS), CONTROL);
    assert.doesNotThrow(() => JSON.stringify(jsonSnapshot(model, NO_HINTS)));
  });

  it('the view fits every size, group and panel', () => {
    const partitions = fc.constantFrom(1, 8, 65, 256);
    const shape = fc.record({
      members: fc.integer({ min: 1, max: 20 }),
      partitions,
      columns: fc.integer({ min: 1, max: 260 }),
      rows: fc.integer({ min: 1, max: 80 }),
      focus: fc.constantFrom(...PANELS),
      zoom: fc.boolean(),
      help: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, ({ members, partitions, columns, rows, focus, zoom, help }) => {
        const model = play([
          ...group(members, partitions),
          [900, { type: 'changes', entries: [gone('a', 999)] }],
        ]);
        const size = { columns, rows };
        const ui = uiWith({ focus, zoom, help });
        const shown = drawn(model, ui, size);
        assert.ok(shown.length <= rows, `${shown.length} rows`);
        for (const row of shown) assert.ok(textWidth(row) <= columns, row);
        if (columns < SMALLEST.columns || rows < SMALLEST.rows) return;
        assert.match(shown[0] ?? '', /^natspoc top/);
        assert.match(shown.at(-1) ?? '', /^\? help [^…]*every 1\.0 s$/);
        if (help) return;
        // Each panel has its title in the row that the layout gives it. No panel is squeezed or pushed away.
        let top = HEADER_ROWS;
        for (const { height, stacks } of layOut(model, ui, bodyRoom(model, ui, size))) {
          for (const { panels } of stacks) {
            let row = top;
            for (const { id, height: lines } of panels) {
              assert.ok(shown[row]?.includes(` ${TITLES[id]} `), `${id} in row ${row}: ${shown[row]}`);
              // The panel has as many rows as its title says.
              const said = /Partitions ─+ (\d+)-(\d+) of/.exec(id === 'partitions' ? (shown[row] ?? '') : '');
              const listed = shown.slice(row + 1, row + lines).filter((each) => TABLE_ROW.test(each));
              if (said) assert.equal(listed.length, Number(said[2]) - Number(said[1]) + 1, shown[row]);
              row += lines;
            }
          }
          top += height;
        }
        assert.ok(top < shown.length);
      }),
      { numRuns: 60 },
    );
  });

  it('the selected row is shown at every size, even with a question below it', () => {
    const model = play(group(3, 8));
    const dialog = {
      question: 'Release p5 from c?',
      consequences: [
        'c finishes the current message and commits. p5 then goes to a, which has the fewest partitions.',
        'And.',
      ],
      command: { type: 'release', partition: 5 },
    } as const;
    const sizes = [
      [60, 16],
      [80, 24],
      [80, 28],
      [120, 30],
      [160, 20],
    ] as const;
    for (const [columns, rows] of sizes) {
      for (const [focus, row] of [
        ['partitions', '5'],
        ['members', 'c'],
      ] as const) {
        for (const asked of [null, { ...dialog, consequences: [...dialog.consequences] }]) {
          const size = { columns, rows };
          const ui = uiWith({ focus, selected: { [focus]: row }, dialog: asked });
          const marked = drawnRows(model, ui, size)
            .filter((each) => each.includes('\u001b[7m') && !each.includes('▶'))
            // In the map one cell of a row is marked. In a table the whole row is marked.
            .map((each) => stripVTControlCharacters(each.slice(each.indexOf('\u001b[7m'))));
          assert.equal(marked.length, 1, `${focus} at ${columns}x${rows}: ${marked}`);
          assert.match(marked[0] ?? '', focus === 'partitions' ? /^p5 / : /^C? +c /);
          const shown = drawn(model, ui, size);
          const title = shown.findIndex((each) => each.includes(`▶ ${TITLES[focus]}`));
          const last = shown.findIndex((each, i) => i > title && /^(─+$|─ |\? help)/.test(each));
          const empty = shown.slice(title, last).filter((each) => each === '').length;
          assert.ok(
            empty === 0 || !shown[title]?.includes(' of '),
            `rows are left out, but ${empty} lines are empty`,
          );
        }
      }
    }
  });

  it('the view names the size that it needs if the terminal is too small', () => {
    const text = textOf(play(group(1, 1)), {}, 80, 10);
    assert.match(text, /^This terminal is 80x10; natspoc top needs 60x16/);
    assert.match(
      textOf(play(group(1, 1)), {}, 30, 10),
      /^This terminal is 30x10;\nnatspoc top needs 60x16\. q\nquits\.\n/,
    );
  });

  it('the view names the command to run if there is nothing to show', () => {
    const missing = play([
      [0, { type: 'missing', message: 'There is no stream S yet. Run "natspoc consume".' }],
    ]);
    assert.match(textOf(missing, {}, 80, 24), /natspoc consume[\s\S]*Trying again every 1\.0 s\./);
    const long = play([
      [0, { type: 'missing', message: `There is no stream S yet. ${'word '.repeat(40)}last.` }],
    ]);
    assert.match(textOf(long, {}, 80, 24), /There is no stream S yet\.[\s\S]*last\.\n\nTrying again/);
    const slow = textOf(missing, { intervalMs: 300_000 }, 80, 24);
    assert.match(slow, /Trying again every 5m\./);
    const hostile = play([[0, { type: 'missing', message: HOSTILE }]]);
    assert.doesNotMatch(textSnapshot(hostile, 80, NO_HINTS).replaceAll('\n', ''), CONTROL);
    assert.ok(textSnapshot(hostile, 80, NO_HINTS).includes(escapeControl(HOSTILE)));
    const alone = play([
      [0, { type: 'connected', server: 'h', version: '2' }],
      [0, { type: 'found', partitions: 2, prefix: 's' }],
      [0, { type: 'snapshot', entries: [] }],
    ]);
    const text = textOf(alone, {}, 80, 24);
    assert.match(text, /no members/);
    assert.match(text, /Start one: "natspoc consume/);
    assert.match(text, /natspoc publish/);
  });

  it('no partition is called unowned before the first snapshot', () => {
    const begun = play([
      [0, { type: 'connected', server: 'h', version: '2' }],
      [0, { type: 'found', partitions: 64, prefix: 's' }],
    ]);
    const text = textOf(begun, {}, 200, 60);
    assert.doesNotMatch(text, /unowned|·|No m/);
    assert.match(text, /loading/);
  });

  it('each update can be opened, and a rebalance shows every partition with its epoch and times', () => {
    const model = play([
      ...group(2, 2),
      [
        1_000,
        {
          type: 'changes',
          entries: [0, 1].map((p) => lease(p, 300 + p, 'b', { reason: 'handover', from: 'a' })),
        },
      ],
      [
        2_000,
        {
          type: 'stats',
          facts: {
            members: [stats('b', { partitions: [{ partition: 1, epoch: 301, position: 1, tookMs: 6 }] })],
            gone: [],
          },
        },
      ],
    ]);
    const [id = ''] = rowIds(model, uiWith(), 'updates', false);
    const text = textOf(model, { focus: 'updates', detail: id }, 80, 24);
    assert.match(text, /B b got 2 partitions from a in 6 ms: p0 p1/);
    assert.match(text, /p0 {2}\d\d:\d\d:01\.000, epoch 300\n/);
    assert.match(text, /p1 {2}\d\d:\d\d:01\.000, epoch 301, handling began 6 ms later/);
  });

  it("a member's details show the partitions that it got and gave away, and not the partitions of other members with the same name", () => {
    const named = (id: string, revision: number) => session(id, revision, { name: 'twin' });
    const entries = [named('x', 1), named('y', 2), session('z', 3), lease(0, 10, 'x'), lease(1, 11, 'y')];
    const change = (ms: number, changes: ViewEntry[]): [number, TopEventBody] => [
      ms,
      { type: 'changes', entries: changes },
    ];
    const model = play([
      ...group(0, 4).slice(0, 3),
      [0, { type: 'snapshot', entries }],
      change(1_000, [lease(0, 20, 'z', { reason: 'handover', from: 'twin' })]),
      change(2_000, [lease(1, 21, 'z', { reason: 'handover', from: 'twin' })]),
      change(3_000, [lease(0, 22, 'x', { reason: 'handover', from: 'z' })]),
      change(4_000, [lease(0, 23, null, { from: 'twin' })]),
      // The previous owner is not known.
      change(5_000, [lease(3, 24, 'z', { reason: 'handover', from: 'twin' })]),
    ]);
    const story = textOf(model, { focus: 'members', detail: 'x' }, 100, 40)
      .replace(/^[\s\S]*Updates/, '')
      .replace(/^\d\d:\d\d:/gm, '');
    assert.match(
      story,
      /^\n01\.000 {2}C z got p0 from twin\n03\.000 {2}A x got p0 from z\n04\.000 {2}twin released p0, without an owner now\n05\.000 {2}C z got p3 from twin\n/,
    );
  });

  it('no line stays empty while a list has more rows', () => {
    const rebalance = Array.from({ length: 20 }, (_, i): [number, TopEventBody] => [
      1_000 * (i + 1),
      { type: 'changes', entries: [lease(0, 300 + i, i % 2 === 0 ? 'b' : 'a', { reason: 'handover' })] },
    ]);
    const shown = drawn(play([...group(16, 256), ...rebalance]), uiWith(), { columns: 80, rows: 24 });
    assert.equal(shown.length, 24);
    for (const [i, row] of shown.entries()) assert.notEqual(row, '', `row ${i}`);
  });

  it('the last values stay under a banner while the server is gone', () => {
    const model = play([
      ...group(2, 4),
      [1_000, { type: 'disconnected' }],
      [3_000, { type: 'reconnecting' }],
    ]);
    const rows = drawnRows(model, uiWith(), { columns: 100, rows: 30 });
    const banner = rows.findIndex((row) => row.includes('Disconnected for 2.0 s (1 reconnect attempt).'));
    assert.equal(banner, HEADER_ROWS, 'below the header');
    assert.match(rows.at(-1) ?? '', /every 1\.0 s/);
    const last = rows.find((row) => row.includes('p3'));
    assert.ok(last?.includes('\u001b[2m'), 'old values are dim');
  });

  it('the view is readable without colours: owners are letters', () => {
    const text = textSnapshot(play(group(2, 4)), 120, NO_HINTS);
    assert.match(text, /^p0 +A {2}a/m);
    assert.match(text, /^p1 +B {2}b/m);
  });
});
