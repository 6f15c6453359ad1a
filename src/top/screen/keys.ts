import { back, enter, focusOn, move } from './moves.js';
import type { Outcome, Situation } from './outcome.js';
import { askToKill, askToPause, askToRelease, askToStart, askToStop } from './questions.js';
import { type Dialog, MEMBER_SORTS, PANELS, PARTITION_SORTS, type Ui } from './state.js';

/** One row of the key table, from which help, footer and dispatch are built. */
export interface Binding {
  keys: readonly string[];
  /** The key as the help shows it, and its action. */
  shown: string;
  help: string;
  group: 'Move' | 'Look' | 'Act';
  /** A word for the footer; absent: not in the footer. */
  hint?: string;
  /** Changes the group: `--readonly` disables it. */
  acts: boolean;
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

type Run = Binding['run'];

/** Makes the bindings of a group; `keys` are separated by blanks. */
const binds =
  (group: Binding['group'], acts = false) =>
  (keys: string, shown: string, help: string, run: Run, hint?: string): Binding => {
    return { keys: keys.split(' '), shown, help, group, run, acts, ...(hint !== undefined && { hint }) };
  };
const go = binds('Move');
const look = binds('Look');
const act = binds('Act', true);
const leave = binds('Act');

/** Switches to the next order of the focused table. */
const sort: Run = ({ ui }) => ({
  ui:
    ui.focus === 'members'
      ? { ...ui, memberSort: next(MEMBER_SORTS, ui.memberSort) }
      : { ...ui, partitionSort: next(PARTITION_SORTS, ui.partitionSort) },
});

/** The key table. */
export const BINDINGS: readonly Binding[] = [
  go('up k', '↑ k', 'previous row', (s) => move(s, -1)),
  go('down j', '↓ j', 'next row', (s) => move(s, 1)),
  go('pageup ctrl-b', 'PgUp', 'a page up', (s) => move(s, -s.page)),
  go('pagedown ctrl-f', 'PgDn', 'a page down', (s) => move(s, s.page)),
  go('home g', 'Home g', 'first row', (s) => move(s, -1e9)),
  go('end G', 'End G', 'last row', (s) => move(s, 1e9)),
  go('tab right l', 'Tab → l', 'next panel', ({ ui }) => focusOn(ui, next(PANELS, ui.focus)), 'panel'),
  go('shift-tab left h', 'S-Tab ← h', 'previous panel', ({ ui }) => focusOn(ui, next(PANELS, ui.focus, -1))),
  go('enter', 'Enter', 'open row or panel', enter, 'open'),
  go('escape backspace', 'Esc', 'back', back),
  look(
    '/',
    '/',
    'filter all rows by text',
    ({ ui }) => ({ ui: { ...ui, editing: true, help: false } }),
    'filter',
  ),
  look('s', 's', 'sort the focused table', sort, 'sort'),
  look(
    'space',
    'space',
    'freeze and unfreeze',
    ({ ui, model }) => ({ ui: { ...ui, frozen: ui.frozen ? null : model } }),
    'freeze',
  ),
  look('+ =', '+', 'refresh more often', (s) => changeInterval(s, -1)),
  look('-', '-', 'refresh less often', (s) => changeInterval(s, 1)),
  look('?', '?', 'this help', ({ ui }) => ({ ui: { ...ui, help: !ui.help, helpTop: 0 } }), 'help'),
  look('ctrl-l', 'Ctrl-L', 'redraw the screen', ({ ui }) => ({ ui, command: { type: 'redraw' } })),
  act('r', 'r', 'release the partition (it moves)', askToRelease, 'release'),
  act('p', 'p', 'pause or resume the partition', askToPause, 'pause'),
  act('x', 'x', 'stop the member (it hands over)', askToStop, 'stop'),
  act('K', 'K', 'kill -9 the member (this machine)', askToKill, 'kill'),
  act('n', 'n', 'start a member on this machine', askToStart, 'new'),
  leave('q ctrl-c', 'q', 'quit', ({ ui }) => ({ ui, command: { type: 'quit' } }), 'quit'),
];

/** The bindings of this screen. */
export const bindingsFor = (ui: Ui): Binding[] => BINDINGS.filter(({ acts }) => !(acts && ui.readonly));

function answer(situation: Situation, dialog: Dialog, key: string): Outcome {
  const ui = { ...situation.ui, dialog: null };
  // Enter does not confirm: the question may be about ending a member, and Enter is pressed for other reasons too.
  if (key === 'y' || key === 'Y') return { ui, command: dialog.command };
  // A stray key must not close the question.
  return key === 'n' || key === 'escape' || key === 'q' || key === 'ctrl-c' ? { ui } : { ui: situation.ui };
}

function editFilter({ ui }: Situation, key: string): Outcome {
  if (key === 'enter') return { ui: { ...ui, editing: false } };
  if (key === 'escape' || key === 'ctrl-c') return { ui: { ...ui, editing: false, filter: '' } };
  if (key === 'backspace') return { ui: { ...ui, filter: [...ui.filter].slice(0, -1).join('') } };
  const typed = key === 'space' ? ' ' : [...key].length === 1 ? key : '';
  return { ui: { ...ui, filter: ui.filter + typed } };
}

/** The screen after a key, and its command, if any. Pure. */
export function press(situation: Situation, key: string): Outcome {
  const { ui } = situation;
  if (ui.dialog) return answer(situation, ui.dialog, key);
  if (ui.editing) return editFilter(situation, key);
  if (ui.help && key === 'q') return { ui: { ...ui, help: false } };
  const binding = bindingsFor(ui).find(({ keys }) => keys.includes(key));
  return binding ? binding.run(situation) : { ui };
}
