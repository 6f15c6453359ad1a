import assert from 'node:assert/strict';
import fc from 'fast-check';
import { initialUi, PANELS, type Ui } from '../../src/tui/screen/state.js';
import { jsonSnapshot, textSnapshot } from '../../src/tui/snapshot.js';
import { type Frame, frameOf } from '../../src/tui/view/frame.js';
import { lineWidth, plain, textWidth, truncate } from '../../src/tui/view/text.js';
import { stripOf } from '../../src/tui/view/timeline.js';
import { gone, group, play, stats, T0 } from './support.js';

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

  it('says which size it needs when the terminal is too small', () => {
    const frame = frameOf(play(group(1, 1)), ui(), { columns: 40, rows: 10 });
    assert.match(textOf(frame), /This terminal is 40x10; natspoc top needs 60x16/);
  });

  it('says what to run when there is nothing to see', () => {
    const missing = play([
      [0, { type: 'missing', message: 'There is no stream S yet. Run "natspoc consume".' }],
    ]);
    assert.match(textOf(frameOf(missing, ui(), { columns: 80, rows: 24 })), /natspoc consume/);
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

describe('the timeline', () => {
  it('shows a gap, however short, in the column in which it was', () => {
    const strip = [
      { at: 0, owner: 'a' },
      { at: 5_100, owner: null },
      { at: 5_200, owner: 'b' },
    ];
    assert.deepEqual(stripOf(strip, 10_000, 1_000, 10), ['a', 'a', 'a', 'a', 'a', null, 'b', 'b', 'b', 'b']);
    assert.deepEqual(stripOf(strip, 2_000, 1_000, 4), [undefined, undefined, 'a', 'a']);
    assert.deepEqual(stripOf([], 2_000, 1_000, 2), [undefined, undefined]);
  });
});

describe('text', () => {
  it('is as wide as a terminal shows it', () => {
    assert.equal(textWidth('abc'), 3);
    assert.equal(textWidth('漢字'), 4);
    assert.equal(textWidth('e\u0301'), 1);
    assert.equal(truncate('漢字漢字', 5), '漢字…');
    assert.equal(truncate('abcdef', 4), 'abc…');
  });

  it('is never wider than asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(20), (text, width) => {
        assert.ok(textWidth(truncate(text, width)) <= width);
      }),
    );
  });
});
