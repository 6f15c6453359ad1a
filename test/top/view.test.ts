import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeControl } from '../../src/core/lib/text.js';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { TopEventBody } from '../../src/top/model/events.js';
import { rowIds } from '../../src/top/screen/rows.js';
import { initialUi, PANELS, type Ui } from '../../src/top/screen/state.js';
import { jsonSnapshot, textSnapshot } from '../../src/top/snapshot.js';
import { type Frame, frameOf } from '../../src/top/view/frame.js';
import { lineWidth, plain } from '../../src/top/view/text.js';
import { gone, group, lease, play, session, stats, T0 } from './support.js';

const ui = (changes: Partial<Ui> = {}): Ui => ({
  ...initialUi({ intervalMs: 1_000, readonly: false, host: 'here' }),
  ...changes,
});

/** All text of a frame. */
function textOf(frame: Frame): string {
  const panels = frame.bands.flatMap(({ stacks }) => stacks.flatMap(({ panels }) => panels));
  const lines = [
    ...frame.header,
    ...panels.flatMap(({ lines }) => lines),
    ...frame.body,
    ...frame.dialog,
    frame.footer,
  ];
  return lines.map(plain).join('\n');
}

// What an attacker, or a binary payload, would put into a key, a payload or a name.
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\r\n\u009b31m\u202egnp.exe';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
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
    [30, { type: 'missing', message: HOSTILE }],
    [40, { type: 'found', partitions: 8, prefix: 's' }],
    [50, { type: 'problem', what: 'x', message: HOSTILE }],
  ]);

describe('the view of top', () => {
  it('shows keys, payloads and names escaped, in every panel, in detail and in a snapshot', () => {
    const model = hostileModel();
    for (const focus of PANELS) {
      const frame = frameOf(model, ui({ focus, zoom: true, filter: '' }), { columns: 200, rows: 60 });
      assert.doesNotMatch(textOf(frame), CONTROL);
    }
    const detail = frameOf(model, ui({ focus: 'messages', zoom: true, detail: '1' }), {
      columns: 120,
      rows: 40,
    });
    assert.match(textOf(detail), /\\u001b\[2J/);
    assert.doesNotMatch(textOf(detail), CONTROL);
    assert.doesNotMatch(textSnapshot(model, 160), CONTROL);
    assert.doesNotThrow(() => JSON.stringify(jsonSnapshot(model)));
  });

  it('fits every size, group and panel', () => {
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
        const frame = frameOf(model, ui({ focus, zoom, help }), { columns, rows });
        const bands = frame.bands.reduce((sum, { height }) => sum + height, 0);
        assert.ok(frame.header.length + bands + frame.dialog.length + 1 <= Math.max(rows, 2));
        for (const { height, stacks } of frame.bands) {
          for (const { width, panels } of stacks) {
            assert.ok(panels.reduce((sum, panel) => sum + panel.height, 0) <= height);
            for (const { lines, height: room, id } of panels) {
              assert.ok(lines.length < room, `${id} has ${lines.length} lines for ${room}`);
              // Lists of updates are cut when they are drawn; tables have to fit by themselves.
              if (id === 'updates' || id === 'stream') continue;
              for (const each of lines)
                assert.ok(lineWidth(each) <= Math.max(width, 12), `${id}: ${plain(each)}`);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('shows the selected row at every size, with a question below it as well', () => {
    const model = play(group(3, 8));
    const dialog = {
      question: 'Release p5 from c?',
      consequences: [
        'c finishes the message in hand and commits; p5 goes to a. Nothing is handled twice.',
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
        ['consumers', 'c'],
      ] as const) {
        for (const asked of [null, { ...dialog, consequences: [...dialog.consequences] }]) {
          const frame = frameOf(model, ui({ focus, selected: { [focus]: row }, dialog: asked }), {
            columns,
            rows,
          });
          const panel = frame.bands
            .flatMap(({ stacks }) => stacks.flatMap(({ panels }) => panels))
            .find(({ id }) => id === focus);
          const shown = panel?.lines.filter((each) => each.some(({ inverse }) => inverse)).map(plain);
          assert.equal(shown?.length, 1, `${focus} at ${columns}x${rows}: ${shown}`);
          const empty = frame.bands.flatMap(({ height, stacks }) =>
            stacks
              .filter(({ panels }) => panels.some(({ id }) => id === focus))
              .map(({ panels }) => height - panels.reduce((sum, each) => sum + each.height, 0)),
          );
          assert.ok(
            empty[0] === 0 || !panel?.info.includes(' of '),
            `rows are left out, and ${empty} lines too`,
          );
          assert.match(shown?.[0] ?? '', focus === 'partitions' ? /^p5 / : /^C +c /);
        }
      }
    }
  });

  it('says which size it needs when the terminal is too small', () => {
    const frame = frameOf(play(group(1, 1)), ui(), { columns: 40, rows: 10 });
    assert.match(textOf(frame), /This terminal is 40x10; natspoc top needs 60x16/);
  });

  it('says what to run when there is nothing to see', () => {
    const missing = play([
      [0, { type: 'missing', message: 'There is no stream S yet. Run "natspoc consume".' }],
    ]);
    const size = { columns: 80, rows: 24 };
    assert.match(textOf(frameOf(missing, ui(), size)), /natspoc consume[\s\S]*Looking again every 1\.0 s\./);
    const slow = textOf(frameOf(missing, ui({ intervalMs: 300_000 }), size));
    assert.match(slow, /Looking again every 5m\./);
    const hostile = play([[0, { type: 'missing', message: HOSTILE }]]);
    assert.doesNotMatch(textSnapshot(hostile, 80).replaceAll('\n', ''), CONTROL);
    assert.ok(textSnapshot(hostile, 80).includes(escapeControl(HOSTILE)));
    const alone = play([
      [0, { type: 'connected', server: 'h', version: '2' }],
      [0, { type: 'found', partitions: 2, prefix: 's' }],
      [0, { type: 'snapshot', entries: [] }],
    ]);
    const text = textOf(frameOf(alone, ui(), { columns: 80, rows: 24 }));
    assert.match(text, /no consumers/);
    assert.match(text, /Start one: natspoc consume/);
    assert.match(text, /natspoc publish/);
  });

  it('says of nothing that nobody owns it before it has looked', () => {
    const begun = play([
      [0, { type: 'connected', server: 'h', version: '2' }],
      [0, { type: 'found', partitions: 64, prefix: 's' }],
    ]);
    const text = textOf(frameOf(begun, ui(), { columns: 200, rows: 60 }));
    assert.doesNotMatch(text, /unowned|·|No messages|Nobody/);
    assert.match(text, /looking/);
  });

  it('opens each update: of a rebalance every partition with its epoch and times', () => {
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
    const [id = ''] = rowIds(model, ui(), 'updates');
    const text = textOf(frameOf(model, ui({ focus: 'updates', detail: id }), { columns: 80, rows: 24 }));
    assert.match(text, /a handed p0 p1 to B b in 6 ms/);
    assert.match(text, /p0 {2}\d\d:\d\d:01\.000, epoch 300\n/);
    assert.match(text, /p1 {2}\d\d:\d\d:01\.000, epoch 301, handled from 6 ms later on/);
  });

  it('tells of a consumer what it got and what it gave away, and nothing of others of its name', () => {
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
      // Whoever had it before is not known.
      change(5_000, [lease(3, 24, 'z', { reason: 'handover', from: 'twin' })]),
    ]);
    const frame = frameOf(model, ui({ focus: 'consumers', detail: 'x' }), { columns: 100, rows: 40 });
    const story = textOf(frame)
      .replace(/^[\s\S]*What happened/, '')
      .replace(/^\d\d:\d\d:/gm, '');
    assert.match(
      story,
      /^\n01\.000 {2}twin handed p0 to C z\n03\.000 {2}z handed p0 to A x\n04\.000 {2}twin released p0: .*\n05\.000 {2}twin handed p3 to C z\n/,
    );
  });

  it('leaves no line empty that a list has rows for', () => {
    const rebalance = Array.from({ length: 20 }, (_, i): [number, TopEventBody] => [
      1_000 * (i + 1),
      { type: 'changes', entries: [lease(0, 300 + i, i % 2 === 0 ? 'b' : 'a', { reason: 'handover' })] },
    ]);
    const frame = frameOf(play([...group(16, 256), ...rebalance]), ui(), { columns: 80, rows: 24 });
    const used = frame.bands.flatMap(({ stacks }) => stacks.flatMap(({ panels }) => panels));
    assert.equal(
      used.reduce((sum, { height }) => sum + height, frame.header.length + 1),
      24,
    );
    for (const { lines, height, id } of used) assert.equal(lines.length, height - 1, id);
  });

  it('keeps the last values under a banner while the server is gone', () => {
    const model = play([
      ...group(2, 4),
      [1_000, { type: 'disconnected' }],
      [3_000, { type: 'reconnecting' }],
    ]);
    const text = textOf(frameOf(model, ui(), { columns: 100, rows: 30 }));
    assert.match(text, /Lost the server 2\.0 s ago, 1 attempt to come back/);
    assert.match(text, /p3/);
  });

  it('is readable without colours: owners are letters', () => {
    const text = textSnapshot(play(group(2, 4)), 120);
    assert.match(text, /^p0 +A {2}a/m);
    assert.match(text, /^p1 +B {2}b/m);
  });
});
