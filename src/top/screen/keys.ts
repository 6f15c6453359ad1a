import type { ReplayStep } from '../feed.js';
import { listGroups, pressInGroups } from './group-keys.js';
import { askToDeadLetter, askToRetry, askToSkip } from './held-up-questions.js';
import { listLetters, pressInLetters } from './letter-keys.js';
import { back, enter, focusOn, move } from './moves.js';
import type { Outcome, Situation } from './outcome.js';
import { askToKill, askToPause, askToRelease, askToStart, askToStop } from './questions.js';
import { type Dialog, MEMBER_SORTS, PANELS, PARTITION_SORTS, type PanelId, type Ui } from './state.js';

/** One row of the key table. Help, footer and dispatch use this table. */
export interface Binding {
  keys: readonly string[];
  /** The key as the help shows it, and its action. */
  shown: string;
  help: string;
  group: 'Move' | 'Look' | 'Act';
  /** The text in the footer; absent if the footer does not show the key. */
  hint?: string;
  /** The panels for which the footer shows the key. Default: all. */
  on?: readonly PanelId[];
  /** True for a key that changes the group. `--readonly` disables such keys. */
  acts: boolean;
  /** When the key works: with the live group or in a replay. Default: always. */
  during?: 'live' | 'replay';
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

/** Makes the bindings of a group of keys. Several `keys` are separated by blanks. */
const binds =
  (group: Binding['group'], acts = false, on?: readonly PanelId[]) =>
  (keys: string, shown: string, help: string, run: Run, hint?: string): Binding => ({
    ...{ keys: keys.split(' '), shown, help, group, run, acts },
    ...(hint !== undefined && { hint }),
    ...(on && { on }),
  });
const go = binds('Move');
const look = binds('Look');
const lookAtTable = binds('Look', false, ['partitions', 'members']);
const onPartition = binds('Act', true, ['partitions', 'timeline']);
const onMember = binds('Act', true, ['members']);
const leave = binds('Act');
const replays = (keys: string, shown: string, help: string, step: ReplayStep, hint?: string): Binding => ({
  ...look(keys, shown, help, ({ ui }) => ({ ui, command: { type: 'replay', step } }), hint),
  during: 'replay',
});
const live = (binding: Binding): Binding => ({ ...binding, during: 'live' });

const sort: Run = ({ ui }) => ({
  ui:
    ui.focus === 'members'
      ? { ...ui, memberSort: next(MEMBER_SORTS, ui.memberSort) }
      : { ...ui, partitionSort: next(PARTITION_SORTS, ui.partitionSort) },
});

const BINDINGS: readonly Binding[] = [
  go('up k', '↑ k', 'previous row', (s) => move(s, -1)),
  go('down j', '↓ j', 'next row', (s) => move(s, 1)),
  go('pageup ctrl-b', 'PgUp', 'a page up', (s) => move(s, -s.page)),
  go('pagedown ctrl-f', 'PgDn', 'a page down', (s) => move(s, s.page)),
  go('home g', 'Home g', 'first row', (s) => move(s, -1e9)),
  go('end G', 'End G', 'last row', (s) => move(s, 1e9)),
  go('tab right l', 'Tab →', 'next panel', ({ ui }) => focusOn(ui, next(PANELS, ui.focus)), 'panel'),
  go('shift-tab left h', '← h', 'previous panel', ({ ui }) => focusOn(ui, next(PANELS, ui.focus, -1))),
  go('enter', 'Enter', 'open the row', enter, 'open'),
  go('escape backspace', 'Esc', 'back', back),
  look('/', '/', 'filter by text', ({ ui }) => ({ ui: { ...ui, editing: true, help: false } }), 'filter'),
  lookAtTable('s', 's', 'sort the table', sort, 'sort'),
  look('z', 'z', 'maximise panel', ({ ui }) => ({ ui: { ...ui, zoom: !ui.zoom } }), 'zoom'),
  look('!', '!', 'all problems', ({ ui }) => ({ ui: { ...ui, problems: !ui.problems, help: false } })),
  live(
    look(
      'space',
      'space',
      'freeze on/off',
      ({ ui, model }) => ({ ui: { ...ui, frozen: ui.frozen ? null : model } }),
      'freeze',
    ),
  ),
  live(look('+ =', '+', 'refresh faster', (s) => changeInterval(s, -1))),
  live(look('-', '-', 'refresh slower', (s) => changeInterval(s, 1))),
  replays('space', 'space', 'pause or play', { do: 'toggle' }, 'pause'),
  replays('> .', '>', 'faster', { do: 'faster' }, 'faster'),
  replays('< ,', '<', 'slower', { do: 'slower' }, 'slower'),
  replays('[', '[', 'back 10 s', { do: 'move', by: -10_000 }, 'back'),
  replays(']', ']', 'forward 10 s', { do: 'move', by: 10_000 }, 'forward'),
  replays('{', '{', 'back 1 minute', { do: 'move', by: -60_000 }),
  replays('}', '}', 'forward 1 minute', { do: 'move', by: 60_000 }),
  replays('0', '0', 'to the start', { do: 'move', by: Number.NEGATIVE_INFINITY }),
  replays('$', '$', 'to the end', { do: 'move', by: Number.POSITIVE_INFINITY }),
  live(look('o', 'o', 'other groups', listGroups, 'groups')),
  live(look('L', 'L', 'dead letters', listLetters)),
  look(
    '?',
    '?',
    'this help',
    ({ ui }) => ({ ui: { ...ui, help: !ui.help, helpTop: 0, problems: false } }),
    'help',
  ),
  look('ctrl-l', 'Ctrl-L', 'redraw', ({ ui }) => ({ ui, command: { type: 'redraw' } })),
  onPartition('t', 't', 'try again now', askToRetry, 'try now'),
  onPartition('D', 'D', 'make a dead letter', askToDeadLetter, 'dead-letter'),
  onPartition('S', 'S', 'skip the message', askToSkip, 'skip'),
  onPartition('r', 'r', 'release the partition', askToRelease, 'release'),
  onPartition('p', 'p', 'pause or resume', askToPause, 'pause'),
  onMember('x', 'x', 'stop the member', askToStop, 'stop'),
  onMember('K', 'K', 'kill -9 the member', askToKill, 'kill'),
  onMember('a', 'a', 'add a member here', askToStart, 'add'),
  leave('q ctrl-c', 'q', 'quit', ({ ui }) => ({ ui, command: { type: 'quit' } }), 'quit'),
];

/** The bindings of this screen. */
export const bindingsFor = (ui: Ui): Binding[] =>
  BINDINGS.filter(
    ({ acts, during }) =>
      !(acts && ui.readonly) && (during === undefined || during === (ui.replays ? 'replay' : 'live')),
  );

function answer(situation: Situation, dialog: Dialog, key: string): Outcome {
  const ui = { ...situation.ui, dialog: null };
  // Enter does not confirm, because users press it for other reasons too.
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

/** The state of the screen after a key, and the key's command, if any. A pure function. */
export function press(situation: Situation, key: string): Outcome {
  const { ui } = situation;
  if (ui.dialog) return answer(situation, ui.dialog, key);
  if (ui.groups) return pressInGroups(situation, ui.groups, key);
  if (ui.letters) return pressInLetters(situation, ui.letters, key);
  if (ui.editing) return editFilter(situation, key);
  if ((ui.help || ui.problems) && key === 'q') return { ui: { ...ui, help: false, problems: false } };
  const binding = bindingsFor(ui).find(({ keys }) => keys.includes(key));
  return binding ? binding.run(situation) : { ui };
}
