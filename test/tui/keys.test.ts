import assert from 'node:assert/strict';
import { BINDINGS, bindingsFor, press } from '../../src/tui/screen/keys.js';
import type { Outcome } from '../../src/tui/screen/outcome.js';
import { initialUi, type Ui } from '../../src/tui/screen/state.js';
import { helpLines } from '../../src/tui/view/help.js';
import { plain } from '../../src/tui/view/text.js';
import { group, play } from './support.js';

const model = play(group(3, 8));
const start = (changes: Partial<Ui> = {}): Ui => ({
  ...initialUi({ intervalMs: 1_000, readonly: false, host: 'here' }),
  ...changes,
});

/** The screen after some keys, and what the last of them ordered. */
function pressed(keys: string[], ui: Ui = start()): Outcome {
  let outcome: Outcome = { ui };
  for (const key of keys) outcome = press({ ui: outcome.ui, model, page: 5 }, key);
  return outcome;
}

describe('the keys of top', () => {
  it('gives each key one meaning', () => {
    const keys = BINDINGS.flatMap((binding) => binding.keys);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('explains every key in the help', () => {
    const help = helpLines(start(), 100).map(plain).join('\n');
    for (const binding of BINDINGS) assert.ok(help.includes(binding.help), binding.help);
  });

  it('moves within a panel and between panels', () => {
    assert.equal(pressed(['down']).ui.selected.partitions, '0');
    assert.equal(pressed(['j', 'j', 'j']).ui.selected.partitions, '2');
    assert.equal(pressed(['G']).ui.selected.partitions, '0');
    assert.equal(pressed(['j', 'G']).ui.selected.partitions, '7');
    assert.equal(pressed(['j', 'pagedown', 'k']).ui.selected.partitions, '4');
    assert.equal(pressed(['tab']).ui.focus, 'consumers');
    assert.equal(pressed(['shift-tab']).ui.focus, 'stream');
  });

  it('goes in with Enter and out with Escape, one step each', () => {
    const inside = pressed(['j', 'enter', 'enter']).ui;
    assert.deepEqual([inside.zoom, inside.detail], [true, '0']);
    const out = pressed(['escape'], inside).ui;
    assert.deepEqual([out.zoom, out.detail], [true, null]);
    assert.equal(pressed(['escape', 'escape'], out).ui.zoom, false);
  });

  it('types a filter, letters that are keys elsewhere too', () => {
    const { ui } = pressed(['/', 'q', 'x', 'space', 'backspace', 'backspace', 'enter']);
    assert.deepEqual([ui.filter, ui.editing], ['q', false]);
    assert.equal(pressed(['escape'], ui).ui.filter, '');
  });

  it('freezes, sorts and changes the interval', () => {
    assert.equal(pressed(['space']).ui.frozen, model);
    assert.equal(pressed(['space', 'space']).ui.frozen, null);
    assert.equal(pressed(['s']).ui.partitionSort, 'lag');
    assert.equal(pressed(['tab', 's']).ui.consumerSort, 'partitions');
    assert.deepEqual(pressed(['+']).command, { type: 'interval', ms: 500 });
    assert.deepEqual(pressed(['-', '-']).command, { type: 'interval', ms: 5_000 });
    assert.equal(pressed(['+'], start({ intervalMs: 250 })).command, undefined);
  });

  it('asks before it ends a consumer, names the consequence, and takes no for an answer', () => {
    const asked = pressed(['tab', 'j', 'K']);
    assert.equal(asked.command, undefined);
    assert.match(asked.ui.dialog?.question ?? '', /Kill -9 a \(pid 4242\)\?/);
    assert.match(asked.ui.dialog?.consequences.join(' ') ?? '', /p0 p3 p6.*2 other members/);
    assert.deepEqual(
      [pressed(['n'], asked.ui).ui.dialog, pressed(['n'], asked.ui).command],
      [null, undefined],
    );
    assert.notEqual(pressed(['z'], asked.ui).ui.dialog, null);
    const { command } = pressed(['y'], asked.ui);
    assert.deepEqual(command?.type === 'signal' && [command.signal, command.target.session], [
      'SIGKILL',
      'a',
    ]);
  });

  it('does not signal a process of another machine', () => {
    const { ui, command } = pressed(['tab', 'j', 'x'], start({ host: 'elsewhere' }));
    assert.equal(ui.dialog, null);
    assert.equal(command, undefined);
    assert.match(ui.notice?.text ?? '', /runs on here/);
  });

  it('has no key that changes anything with --readonly', () => {
    const readonly = start({ readonly: true });
    assert.ok(bindingsFor(readonly).every(({ acts }) => !acts));
    for (const key of ['x', 'K', 'n']) assert.equal(pressed(['tab', 'j', key], readonly).ui.dialog, null);
  });

  it('quits', () => {
    assert.deepEqual(pressed(['q']).command, { type: 'quit' });
    assert.deepEqual(pressed(['ctrl-c']).command, { type: 'quit' });
  });
});
