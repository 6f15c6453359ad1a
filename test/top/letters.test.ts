import assert from 'node:assert/strict';
import { press } from '../../src/top/screen/keys.js';
import { letterRead, lettersRead } from '../../src/top/screen/letter-keys.js';
import type { Outcome } from '../../src/top/screen/outcome.js';
import type { LetterList, Ui } from '../../src/top/screen/state.js';
import { drawn, uiWith } from './drawn.js';
import { letter } from './lists.js';
import { group, play } from './support.js';

const model = play(group(2, 8));

const ROWS = [letter(9), letter(7), letter(2)];
const EMPTY: LetterList = { rows: null, at: 0, shown: null };

const pressed = (ui: Ui, ...keys: string[]): Outcome =>
  keys.reduce<Outcome>(
    (before, key) => press({ ui: before.ui, model, page: 5, helpEnd: 0, isMap: false }, key),
    { ui },
  );
const screen = (ui: Ui): string => drawn(model, ui, { columns: 100, rows: 24 }).join('\n');

describe('the dead letters in top', () => {
  const list = uiWith({ letters: lettersRead(EMPTY, ROWS) });

  it('the key L lists the dead letters, newest first', () => {
    const asked = pressed(uiWith(), 'L');
    assert.deepEqual(asked.command, { type: 'list-letters' });
    assert.match(screen(asked.ui), /loading …/);
    assert.match(screen(list), /\n *9 +.* p3 +109 +k9 +g +5 +out of stock/);
    assert.match(screen(list), /b puts it back, x drops it/);
    assert.match(screen(uiWith({ letters: lettersRead(EMPTY, []) })), /\n *none/);
  });

  it('Enter shows a dead letter in full, and the arrows show the next letter', () => {
    const { ui, command } = pressed(list, 'j', 'enter');
    assert.deepEqual(command, { type: 'show-letter', letter: ROWS[1] });
    assert.ok(ui.letters);
    const original = { headers: { Colour: 'red' }, data: Buffer.from('two pears') };
    const read = { ...ui, letters: letterRead(ui.letters, letter(7), original) };
    assert.match(screen(read), /Dead letter +7\n[\s\S]*Colour +red\n[\s\S]*two pears/);
    assert.deepEqual(pressed(read, 'j').command, { type: 'show-letter', letter: ROWS[2] });
    // This answer is about letter 9. Letter 7 is shown now, so it is ignored.
    assert.equal(letterRead(read.letters, letter(9), original), read.letters);
    assert.equal(pressed(read, 'escape').ui.letters?.shown, null);
    assert.equal(pressed(read, 'escape', 'escape').ui.letters, null);
  });

  it('dead letters are dropped and put back after a question, and not with --readonly', () => {
    const dropped = pressed(list, 'x');
    assert.match(screen(dropped.ui), /Drop dead letter 9\?/);
    assert.deepEqual(pressed(dropped.ui, 'y').command, { type: 'drop-letter', letter: ROWS[0] });
    assert.equal(pressed(dropped.ui, 'n').command, undefined);
    assert.deepEqual(pressed(list, 'b', 'y').command, { type: 'put-back', letter: ROWS[0] });
    const readonly = uiWith({ readonly: true, letters: list.letters });
    assert.deepEqual([pressed(readonly, 'x').ui.dialog, pressed(readonly, 'b').ui.dialog], [null, null]);
    assert.doesNotMatch(screen(readonly), /puts it back/);
  });

  it('the cursor stays on its letter when the letters are read again', () => {
    const at = pressed(list, 'j').ui.letters ?? EMPTY;
    assert.equal(lettersRead(at, [letter(11), ...ROWS]).at, 2);
    assert.equal(lettersRead({ ...at, at: 2 }, ROWS.slice(0, 1)).at, 0);
  });
});
