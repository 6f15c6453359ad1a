import { back, enter, focusOn, move } from './moves.js';
import type { Outcome, Situation } from './outcome.js';
import { askToKill, askToPause, askToRelease, askToStart, askToStop } from './questions.js';
import { type Dialog, MEMBER_SORTS, PANELS, PARTITION_SORTS, type Ui } from './state.js';

/** One line of the key table. Help, footer and dispatch are made from it. */
export interface Binding {
  keys: readonly string[];
  /** The key as the help shows it, and what it does. */
  shown: string;
  help: string;
  group: 'Move' | 'Look' | 'Act';
  /** A word for the footer; none: not there. */
  hint?: string;
  /** Changes something in the world: `--readonly` takes it away. */
  acts?: boolean;
  run: (situation: Situation) => Outcome;
}

const INTERVALS_MS = [250, 500, 1_000, 2_000, 5_000, 10_000];

const next = <T>(all: readonly T[], current: T, by = 1): T =>
  all[(all.indexOf(current) + by + all.length) % all.length] ?? current;

function changeInterval({ ui }: Situation, by: number): Outcome {
  const ms =
    by < 0
      ? INTERVALS_MS.findLast((each) => each < ui.intervalMs)
      : INTERVALS_MS.find((each) => each > ui.intervalMs);
  return { ui: ms === undefined ? ui : { ...ui, intervalMs: ms } };
}

/** The key table. */
export const BINDINGS: readonly Binding[] = [
  { keys: ['up', 'k'], shown: '↑ k', help: 'previous row', group: 'Move', run: (s) => move(s, -1) },
  { keys: ['down', 'j'], shown: '↓ j', help: 'next row', group: 'Move', run: (s) => move(s, 1) },
  {
    keys: ['pageup', 'ctrl-b'],
    shown: 'PgUp',
    help: 'a page up',
    group: 'Move',
    run: (s) => move(s, -s.page),
  },
  {
    keys: ['pagedown', 'ctrl-f'],
    shown: 'PgDn',
    help: 'a page down',
    group: 'Move',
    run: (s) => move(s, s.page),
  },
  { keys: ['home', 'g'], shown: 'Home g', help: 'first row', group: 'Move', run: (s) => move(s, -1e9) },
  { keys: ['end', 'G'], shown: 'End G', help: 'last row', group: 'Move', run: (s) => move(s, 1e9) },
  {
    keys: ['tab', 'right', 'l'],
    shown: 'Tab → l',
    help: 'next panel',
    group: 'Move',
    hint: 'panel',
    run: ({ ui }) => focusOn(ui, next(PANELS, ui.focus)),
  },
  {
    keys: ['shift-tab', 'left', 'h'],
    shown: 'S-Tab ← h',
    help: 'previous panel',
    group: 'Move',
    run: ({ ui }) => focusOn(ui, next(PANELS, ui.focus, -1)),
  },
  {
    keys: ['enter'],
    shown: 'Enter',
    help: 'open row or panel',
    group: 'Move',
    hint: 'open',
    run: enter,
  },
  { keys: ['escape', 'backspace'], shown: 'Esc', help: 'back', group: 'Move', run: back },
  {
    keys: ['/'],
    shown: '/',
    help: 'filter all rows by text',
    group: 'Look',
    hint: 'filter',
    run: ({ ui }) => ({ ui: { ...ui, editing: true, help: false } }),
  },
  {
    keys: ['s'],
    shown: 's',
    help: 'sort the focused table',
    group: 'Look',
    hint: 'sort',
    run: ({ ui }) => ({
      ui:
        ui.focus === 'members'
          ? { ...ui, memberSort: next(MEMBER_SORTS, ui.memberSort) }
          : { ...ui, partitionSort: next(PARTITION_SORTS, ui.partitionSort) },
    }),
  },
  {
    keys: ['space'],
    shown: 'space',
    help: 'freeze and unfreeze',
    group: 'Look',
    hint: 'freeze',
    run: ({ ui, model }) => ({ ui: { ...ui, frozen: ui.frozen ? null : model } }),
  },
  {
    keys: ['+', '='],
    shown: '+',
    help: 'refresh more often',
    group: 'Look',
    run: (s) => changeInterval(s, -1),
  },
  { keys: ['-'], shown: '-', help: 'refresh less often', group: 'Look', run: (s) => changeInterval(s, 1) },
  {
    keys: ['?'],
    shown: '?',
    help: 'this help',
    group: 'Look',
    hint: 'help',
    run: ({ ui }) => ({ ui: { ...ui, help: !ui.help, helpTop: 0 } }),
  },
  {
    keys: ['ctrl-l'],
    shown: 'Ctrl-L',
    help: 'redraw the screen',
    group: 'Look',
    run: ({ ui }) => ({ ui, command: { type: 'redraw' } }),
  },
  {
    keys: ['r'],
    shown: 'r',
    help: 'release the partition (it moves)',
    group: 'Act',
    hint: 'release',
    acts: true,
    run: askToRelease,
  },
  {
    keys: ['p'],
    shown: 'p',
    help: 'pause or resume the partition',
    group: 'Act',
    hint: 'pause',
    acts: true,
    run: askToPause,
  },
  {
    keys: ['x'],
    shown: 'x',
    help: 'stop the member (it hands over)',
    group: 'Act',
    hint: 'stop',
    acts: true,
    run: askToStop,
  },
  {
    keys: ['K'],
    shown: 'K',
    help: 'kill -9 the member (this machine)',
    group: 'Act',
    hint: 'kill',
    acts: true,
    run: askToKill,
  },
  {
    keys: ['n'],
    shown: 'n',
    help: 'start a member on this machine',
    group: 'Act',
    hint: 'new',
    acts: true,
    run: askToStart,
  },
  {
    keys: ['q', 'ctrl-c'],
    shown: 'q',
    help: 'quit',
    group: 'Act',
    hint: 'quit',
    run: ({ ui }) => ({ ui, command: { type: 'quit' } }),
  },
];

/** The bindings that there are for this screen. */
export const bindingsFor = (ui: Ui): Binding[] => BINDINGS.filter(({ acts }) => !(acts && ui.readonly));

function answer(situation: Situation, dialog: Dialog, key: string): Outcome {
  const ui = { ...situation.ui, dialog: null };
  // Enter is pressed for other reasons too, and the question may be about ending a member.
  if (key === 'y' || key === 'Y') return { ui, command: dialog.command };
  // A stray key must not take the question away unseen.
  return key === 'n' || key === 'escape' || key === 'q' || key === 'ctrl-c' ? { ui } : { ui: situation.ui };
}

function editFilter({ ui }: Situation, key: string): Outcome {
  if (key === 'enter') return { ui: { ...ui, editing: false } };
  if (key === 'escape' || key === 'ctrl-c') return { ui: { ...ui, editing: false, filter: '' } };
  if (key === 'backspace') return { ui: { ...ui, filter: [...ui.filter].slice(0, -1).join('') } };
  const typed = key === 'space' ? ' ' : [...key].length === 1 ? key : '';
  return { ui: { ...ui, filter: ui.filter + typed } };
}

/** The screen after a key, and what it orders. Pure. */
export function press(situation: Situation, key: string): Outcome {
  const { ui } = situation;
  if (ui.dialog) return answer(situation, ui.dialog, key);
  if (ui.editing) return editFilter(situation, key);
  if (ui.help && key === 'q') return { ui: { ...ui, help: false } };
  const binding = bindingsFor(ui).find(({ keys }) => keys.includes(key));
  return binding ? binding.run(situation) : { ui };
}
