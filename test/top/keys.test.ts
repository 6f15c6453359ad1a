import assert from 'node:assert/strict';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { HoldUp } from '../../src/core/protocol/hold-up.js';
import type { Model } from '../../src/top/model/model.js';
import { bindingsFor, press } from '../../src/top/screen/keys.js';
import type { Outcome } from '../../src/top/screen/outcome.js';
import { rowIds } from '../../src/top/screen/rows.js';
import type { Ui } from '../../src/top/screen/state.js';
import { bodyRoom } from '../../src/top/ui/screen.js';
import { helpView } from '../../src/top/view/help.js';
import { textWidth } from '../../src/top/view/text.js';
import { drawn, uiWith } from './drawn.js';
import { group, HELD_UP, lease, override, play, stats } from './support.js';

const model = play(group(3, 8));
const start = uiWith;
const HALTED: HoldUp = { ...HELD_UP, why: 'halted', sequence: null, key: null, reason: 'no module' };

function pressed(keys: string[], ui: Ui = start()): Outcome {
  let outcome: Outcome = { ui };
  for (const key of keys) outcome = press({ ui: outcome.ui, model, page: 5, helpEnd: 0, isMap: false }, key);
  return outcome;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

describe('the keys of top', () => {
  it('each key has one meaning', () => {
    for (const replays of [false, true]) {
      const keys = bindingsFor(start({ replays })).flatMap((binding) => binding.keys);
      assert.equal(new Set(keys).size, keys.length);
    }
  });

  /** The visible part of the help at this size, and how far it can be scrolled. */
  function helpAt(ui: Ui, columns: number, rows: number) {
    const size = { columns, rows };
    const text = drawn(model, ui, size).slice(3, -1);
    const helpEnd = helpView(ui, bodyRoom(model, ui, size)).end;
    for (const each of text) assert.ok(textWidth(each) <= columns, each);
    return { text, helpEnd };
  }

  it('the help explains every key, and fits from 80x24 on', () => {
    for (const [columns, rows] of [
      [80, 24],
      [120, 40],
    ] as const) {
      for (const replays of [false, true]) {
        const help = helpAt(start({ replays, help: true }), columns, rows).text.join('\n');
        for (const { shown, help: does } of bindingsFor(start({ replays }))) {
          assert.match(help, new RegExp(`${escapeRegExp(shown)} +${escapeRegExp(does)}( |$)`, 'm'));
        }
        assert.match(help, /y n answer a question; Enter does not/);
      }
    }
  });

  it('the help scrolls on a smaller terminal, to its end and back', () => {
    let ui = pressed(['?']).ui;
    const seen = new Set<string>();
    const scroll = (key: string) => {
      const { helpEnd } = helpAt(ui, 60, 20);
      ui = press({ ui, model, page: 12, helpEnd, isMap: false }, key).ui;
      return helpAt(ui, 60, 20).text;
    };
    for (const each of helpAt(ui, 60, 20).text) seen.add(each);
    for (let i = 0; i < 30; i++) for (const each of scroll('down')) seen.add(each);
    const help = [...seen].join('\n');
    for (const { shown, help: does } of bindingsFor(start())) {
      assert.match(help, new RegExp(`${escapeRegExp(shown)} +${escapeRegExp(does)}$`, 'm'));
    }
    assert.match(help, /cannot be read/);
    const last = scroll('end');
    assert.notDeepEqual(scroll('up'), last);
    assert.equal(scroll('home')[0], 'Move');
    assert.equal(ui.selected.partitions, undefined);
  });

  it('keys move the selection within a panel, and the focus between panels', () => {
    assert.equal(pressed(['down']).ui.selected.partitions, '0');
    assert.equal(pressed(['j', 'j', 'j']).ui.selected.partitions, '2');
    assert.equal(pressed(['up']).ui.selected.partitions, '0');
    for (const key of ['G', 'end']) assert.equal(pressed([key]).ui.selected.partitions, '7', key);
    assert.equal(pressed(['g']).ui.selected.partitions, '0');
    assert.equal(pressed(['pagedown']).ui.selected.partitions, '4');
    assert.equal(pressed(['j', 'G']).ui.selected.partitions, '7');
    assert.equal(pressed(['j', 'pagedown', 'k']).ui.selected.partitions, '4');
    assert.equal(pressed(['tab']).ui.focus, 'members');
    assert.equal(pressed(['shift-tab']).ui.focus, 'stream');
  });

  it('the selection of a log starts at its last row', () => {
    const leases = Array.from({ length: 9 }, (_, i) => lease(0, 300 + i, i % 2 === 0 ? 'b' : 'a'));
    const busy = leases.reduce(
      (before, entry, i) => play([[1_000 * (i + 1), { type: 'changes', entries: [entry] }]], before),
      model,
    );
    const ui = start({ focus: 'updates' });
    const ids = rowIds(busy, ui, 'updates', false);
    assert.equal(ids.length, 9);
    const chosen = (key: string) =>
      ids.indexOf(
        press({ ui, model: busy, page: 5, helpEnd: 0, isMap: false }, key).ui.selected.updates ?? '',
      );
    assert.deepEqual(['up', 'down', 'pageup', 'home', 'end'].map(chosen), [8, 8, 4, 0, 8]);
  });

  it('Enter opens a row and Escape closes it, one step each', () => {
    const row = pressed(['j', 'enter']).ui;
    assert.deepEqual([row.zoom, row.detail], [false, '0']);
    assert.equal(pressed(['escape'], row).ui.detail, null);
    const inside = pressed(['enter', 'j', 'enter']).ui;
    assert.deepEqual([inside.zoom, inside.detail], [true, '0']);
    const out = pressed(['escape'], inside).ui;
    assert.deepEqual([out.zoom, out.detail], [true, null]);
    assert.equal(pressed(['escape', 'escape'], out).ui.zoom, false);
  });

  it('the filter accepts letters that are keys elsewhere', () => {
    const { ui } = pressed(['/', 'q', 'x', 'space', 'backspace', 'backspace', 'enter']);
    assert.deepEqual([ui.filter, ui.editing], ['q', false]);
    assert.equal(pressed(['escape'], ui).ui.filter, '');
  });

  it('keys freeze and sort the tables, and change the interval', () => {
    assert.equal(pressed(['space']).ui.frozen, model);
    assert.equal(pressed(['space', 'space']).ui.frozen, null);
    assert.equal(pressed(['s']).ui.partitionSort, 'lag');
    assert.equal(pressed(['tab', 's']).ui.memberSort, 'partitions');
    assert.equal(pressed(['+']).ui.intervalMs, 500);
    assert.equal(pressed(['-', '-']).ui.intervalMs, 5_000);
    assert.equal(pressed(['+'], start({ intervalMs: 250 })).ui.intervalMs, 250);
  });

  it('top asks before it ends a member, names the consequence, and accepts the answer no', () => {
    const asked = pressed(['tab', 'j', 'K']);
    assert.equal(asked.command, undefined);
    assert.match(asked.ui.dialog?.question ?? '', /Kill -9 a \(pid 4242\)\?/);
    assert.match(
      asked.ui.dialog?.consequences.join(' ') ?? '',
      /Of the member's partitions, p\d.* go(es)? to [bc].*repeat/,
    );
    assert.deepEqual(
      [pressed(['n'], asked.ui).ui.dialog, pressed(['n'], asked.ui).command],
      [null, undefined],
    );
    for (const key of ['z', 'enter', 'space']) {
      const { ui, command } = pressed([key], asked.ui);
      assert.deepEqual([ui.dialog, command], [asked.ui.dialog, undefined], key);
    }
    const { command } = pressed(['y'], asked.ui);
    assert.deepEqual(command?.type === 'kill' && command.target.session, 'a');
  });

  it('top does not kill a process on another machine, but asks it to stop', () => {
    const elsewhere = start({ host: 'elsewhere' });
    const { ui, command, said } = pressed(['tab', 'j', 'K'], elsewhere);
    assert.equal(ui.dialog, null);
    assert.equal(command, undefined);
    assert.match(said?.text ?? '', /runs on here.*Press x to ask it to stop/);
    const asked = pressed(['tab', 'j', 'x'], elsewhere).ui;
    assert.match(asked.dialog?.question ?? '', /Stop a \(pid 4242 on here\)\?/);
    assert.match(asked.dialog?.consequences.join(' ') ?? '', /asked over NATS/);
    const stop = pressed(['y'], asked).command;
    assert.deepEqual(stop?.type === 'stop' && [stop.target.session, stop.target.local], ['a', false]);
  });

  it('a new member needs a confirmation, which says that it processes no messages and how to start one that does', () => {
    const { ui, command } = pressed(
      ['a'],
      start({ hints: { flags: { stream: 'ORDERS' }, first: model.target } }),
    );
    assert.equal(command, undefined);
    assert.match(
      ui.dialog?.question ?? '',
      /without a handler .* marks messages as handled without processing them/,
    );
    const consequences = ui.dialog?.consequences.join(' ') ?? '';
    assert.match(consequences, /joins group g and gets p\d/);
    assert.match(consequences, /run "natspoc consume --stream ORDERS" with your --handler or --exec/);
    assert.deepEqual(pressed(['y'], ui).command, { type: 'start-consumer' });
  });

  it('a key releases the selected partition, and the question says which member gets it', () => {
    const asked = pressed(['j', 'r']).ui;
    assert.equal(asked.dialog?.question, 'Release p0 from a?');
    // a and b have three partitions each. c has two.
    assert.match(asked.dialog?.consequences[0] ?? '', /p0 then goes to c, which has the fewest partitions/);
    assert.deepEqual(pressed(['y'], asked).command, { type: 'release', partition: 0 });
  });

  it('a key pauses the selected partition, or resumes a paused partition', () => {
    const asked = pressed(['j', 'j', 'p']).ui;
    assert.equal(asked.dialog?.question, 'Pause p1?');
    assert.match(asked.dialog?.consequences[0] ?? '', /b finishes .* keeps p1/);
    assert.deepEqual(pressed(['y'], asked).command, { type: 'pause', partition: 1, paused: true });
    const paused = play([[1, { type: 'changes', entries: [override(1, 900, { paused: true })] }]], model);
    const again = press(
      { ui: start({ selected: { partitions: '1' } }), model: paused, page: 5, helpEnd: 0, isMap: false },
      'p',
    ).ui;
    assert.equal(again.dialog?.question, 'Resume p1?');
    assert.deepEqual(again.dialog?.command, { type: 'pause', partition: 1, paused: false });
  });

  it('top says why a partition cannot be released: it has no owner, or it is pinned to its owner', () => {
    const at = (entry: ViewEntry) => {
      const changed = play([[1, { type: 'changes', entries: [entry] }]], model);
      const ui = start({ selected: { partitions: '0' } });
      return press({ ui, model: changed, page: 5, helpEnd: 0, isMap: false }, 'r');
    };
    assert.match(at(lease(0, 900, null)).said?.text ?? '', /p0 has no owner/);
    assert.match(
      at(override(0, 900, { pin: 'a' })).said?.text ?? '',
      /p0 is pinned to a.*"natspoc leases unpin 0"/,
    );
    assert.equal(at(override(0, 900, { pin: 'b' })).ui.dialog?.question, 'Release p0 from a?');
  });

  it('top says how to select a row if none is selected, and focuses the panel', () => {
    for (const [key, focus] of [
      ['r', 'partitions'],
      ['p', 'partitions'],
      ['x', 'members'],
      ['K', 'members'],
    ] as const) {
      const { ui, said } = pressed([key], start({ focus: 'messages' }));
      assert.equal(ui.dialog, null);
      assert.equal(ui.focus, focus);
      assert.match(said?.text ?? '', /^Select a /);
    }
  });

  it('no key changes anything with --readonly', () => {
    const readonly = start({ readonly: true });
    assert.ok(bindingsFor(readonly).every(({ acts }) => !acts));
    for (const key of ['r', 'p', 't', 'D', 'S']) assert.equal(pressed(['j', key], readonly).ui.dialog, null);
    for (const key of ['x', 'K', 'a']) assert.equal(pressed(['tab', 'j', key], readonly).ui.dialog, null);
  });

  /** p4 retries message 95887. p5 is halted at the start. */
  const heldUp = play(
    [
      [
        1_000,
        {
          type: 'stats',
          facts: {
            members: [
              stats('b', {
                partitions: [{ partition: 4, epoch: 104, position: 1, state: 'retrying', holdUp: HELD_UP }],
              }),
              stats('c', {
                partitions: [{ partition: 5, epoch: 105, position: 1, state: 'halted', holdUp: HALTED }],
              }),
            ],
            gone: [],
          },
        },
      ],
    ],
    model,
  );
  const outcomeOf = (key: string, partition: string | undefined, at: Model = heldUp): Outcome => {
    const ui = start(partition ? { selected: { partitions: partition } } : {});
    return press({ ui, model: at, page: 5, helpEnd: 0, isMap: false }, key);
  };
  const asks = (key: string, partition: string | undefined) => outcomeOf(key, partition).ui;
  const says = (key: string, partition: string, at?: Model) => outcomeOf(key, partition, at).said?.text ?? '';

  it('keys retry, skip and dead-letter the message that holds the selected partition up, after a question', () => {
    const skip = asks('S', '4').dialog;
    assert.equal(skip?.question, 'Skip message 95887 (key user-7) of p4?');
    assert.match(skip?.consequences.join(' ') ?? '', /never handles.*Last error: connection refused/);
    assert.deepEqual(skip?.command, { type: 'skip', partition: 4, sequence: 95_887, deadLetter: false });
    const dead = asks('D', '4').dialog;
    assert.match(dead?.question ?? '', /^Dead-letter message 95887/);
    assert.deepEqual(dead?.command, { type: 'skip', partition: 4, sequence: 95_887, deadLetter: true });
    assert.deepEqual(asks('t', '4').dialog?.command, { type: 'retry', partition: 4 });
    // Without a selection, the cursor is on the worst partition: the halted one.
    assert.deepEqual(asks('t', undefined).dialog?.command, { type: 'retry', partition: 5 });
    assert.match(says('S', '5'), /No message holds p5 up: press t/);
    assert.equal(says('t', '0'), 'Nothing holds p0 up.');
    assert.equal(asks('n', '4').dialog, null, 'n is only an answer');
  });

  it('the keys t and S do not offer a retry or a skip that cannot end a hold-up', () => {
    const heldBy = (held: Partial<HoldUp>): Model => {
      const holdUp = { ...HELD_UP, attempt: null, maxAttempts: null, nextInMs: null, ...held };
      const partitions = [{ partition: 4, epoch: 104, position: 1, state: 'running', holdUp }];
      const members = [stats('b', { partitions })];
      return play([[1_000, { type: 'stats', facts: { members, gone: [] } }]], model);
    };
    const slow = heldBy({ why: 'handler' });
    const acquiring = heldBy({ why: 'handler', sequence: null });
    const stuck = heldBy({ why: 'stuck' });
    for (const [key, at, said] of [
      [
        't',
        slow,
        'No attempt of p4 has failed: press r to release it to another member, or S to skip its message.',
      ],
      ['t', acquiring, 'No attempt of p4 has failed: press r to release it to another member.'],
      ['t', stuck, 'No attempt of p4 has failed: press r to release it to another member.'],
      ['S', acquiring, 'No message holds p4 up: press r to release it to another member.'],
      ['D', stuck, 'No message holds p4 up: press r to release it to another member.'],
    ] as const) {
      assert.equal(says(key, '4', at), said);
      assert.equal(outcomeOf(key, '4', at).ui.dialog, null);
    }
    assert.equal(outcomeOf('S', '4', slow).ui.dialog?.command.type, 'skip');
  });

  it('keys move to the next and previous row in the details of a row', () => {
    const first = pressed(['j', 'enter']).ui;
    const second = pressed(['j'], first).ui;
    assert.deepEqual([second.detail, second.selected.partitions], ['1', '1']);
    assert.equal(pressed(['k'], second).ui.detail, '0');
    assert.equal(pressed(['escape'], second).ui.detail, null);
  });

  it('the footer shows the keys of the focused panel, and a key maximises that panel', () => {
    const footer = (changes: Partial<Ui>) =>
      drawn(model, start(changes), { columns: 80, rows: 24 }).at(-1) ?? '';
    assert.match(footer({}), /^\? help {2}q quit {2}t try now {2}D dead-letter {2}S skip/);
    assert.match(footer({ focus: 'members' }), /^\? help {2}q quit {2}x stop {2}K kill {2}a add/);
    assert.doesNotMatch(footer({ focus: 'messages' }), /stop|release|sort/);
    assert.match(
      footer({ focus: 'members', detail: 'a' }),
      /^\? help {2}q quit {2}Esc back {2}↓ next {2}↑ previous {2}x stop/,
    );
    assert.deepEqual([pressed(['z']).ui.zoom, pressed(['z', 'z']).ui.zoom], [true, false]);
  });

  it('problems after the worst one are listed below the header, and the key ! lists all problems', () => {
    const screen = (ui: Ui) => drawn(heldUp, ui, { columns: 80, rows: 24 });
    const rows = screen(start());
    assert.match(rows[1] ?? '', /^✖ halted: p5 \(\+1\)/);
    assert.equal(rows[3], '▲ retrying: p4');
    const all = screen(press({ ui: start(), model: heldUp, page: 5, helpEnd: 0, isMap: false }, '!').ui);
    assert.deepEqual(all.slice(4, 6), ['✖ halted: p5', '▲ retrying: p4']);
    assert.equal(pressed(['!', 'q']).command, undefined);
    assert.equal(pressed(['!', 'escape']).ui.problems, false);
  });

  it('the keys q and Ctrl-C quit', () => {
    assert.deepEqual(pressed(['q']).command, { type: 'quit' });
    assert.deepEqual(pressed(['ctrl-c']).command, { type: 'quit' });
  });
});
