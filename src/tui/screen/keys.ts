import type { Model } from '../model/model.js';
import { memberRows } from '../model/select.js';
import { partitionList } from '../view/consumers.js';
import { rowIds } from './rows.js';
import {
  CONSUMER_SORTS,
  type Command,
  type Dialog,
  PANELS,
  PARTITION_SORTS,
  type PanelId,
  type Ui,
} from './state.js';

/** What a key led to. */
export interface Outcome {
  ui: Ui;
  command?: Command;
}

/** Who presses a key, and what is there. */
export interface Situation {
  ui: Ui;
  /** What is shown, frozen or not. */
  model: Model;
  /** Rows of the focused panel on the screen: how far a page goes. */
  page: number;
}

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

/** Selects the row `by` rows further; from nowhere, the first or the last. */
function move({ ui, model }: Situation, by: number): Outcome {
  const ids = rowIds(model, ui, ui.focus);
  const selected = ui.selected[ui.focus];
  const at = selected === undefined ? -1 : ids.indexOf(selected);
  // Logs are entered at their end, where they follow; tables at their beginning.
  const log = ui.focus === 'updates' || ui.focus === 'messages';
  const from = at >= 0 ? at + by : log ? ids.length - 1 : 0;
  const id = ids[Math.max(0, Math.min(ids.length - 1, from))];
  return { ui: id === undefined ? ui : { ...ui, selected: { ...ui.selected, [ui.focus]: id } } };
}

const focusOn = (ui: Ui, focus: PanelId): Outcome => ({ ui: { ...ui, focus, detail: null } });

/** One step back out of whatever was entered. */
function back({ ui }: Situation): Outcome {
  if (ui.help) return { ui: { ...ui, help: false } };
  if (ui.detail !== null) return { ui: { ...ui, detail: null } };
  if (ui.selected[ui.focus] !== undefined) {
    const { [ui.focus]: _, ...selected } = ui.selected;
    return { ui: { ...ui, selected } };
  }
  if (ui.zoom) return { ui: { ...ui, zoom: false } };
  return { ui: { ...ui, filter: '', notice: null } };
}

/** One step in: the panel gets the screen, then the row. */
function enter({ ui, model }: Situation): Outcome {
  if (!ui.zoom) return { ui: { ...ui, zoom: true } };
  const selected = ui.selected[ui.focus];
  const row = selected !== undefined && rowIds(model, ui, ui.focus).includes(selected) ? selected : null;
  return { ui: { ...ui, detail: row } };
}

function changeInterval({ ui }: Situation, by: number): Outcome {
  const ms =
    by < 0
      ? INTERVALS_MS.findLast((each) => each < ui.intervalMs)
      : INTERVALS_MS.find((each) => each > ui.intervalMs);
  return ms === undefined ? { ui } : { ui: { ...ui, intervalMs: ms }, command: { type: 'interval', ms } };
}

const selectedMember = ({ ui, model }: Situation) =>
  ui.focus === 'consumers'
    ? memberRows(model).find(({ member }) => member.id === ui.selected.consumers)
    : undefined;

/** Asks before the selected member is ended by a signal. */
function askToSignal(situation: Situation, signal: 'SIGTERM' | 'SIGKILL'): Outcome {
  const { ui, model } = situation;
  const row = selectedMember(situation);
  const record = row?.member.record;
  if (!row || !record) {
    const text = 'Select a consumer first: Tab to the consumers, then the arrows.';
    return { ui: { ...ui, focus: 'consumers', notice: { at: model.now, text, level: 'info' } } };
  }
  if (record.host !== ui.host) {
    const text = `${row.name} runs on ${record.host}: only consumers of this machine can be signalled.`;
    return { ui: { ...ui, notice: { at: model.now, text, level: 'error' } } };
  }
  const others = memberRows(model).length - 1;
  const moved = partitionList(row.partitions) || 'none';
  const soon =
    signal === 'SIGTERM'
      ? 'It hands them over first, then exits: at once and with nothing handled twice.'
      : 'It cannot hand anything over: the others claim them when they notice, and repeat what was not committed.';
  const dialog: Dialog = {
    question: `${signal === 'SIGTERM' ? 'Stop' : 'Kill -9'} ${row.name} (pid ${record.pid})?`,
    consequences: [
      `Its partitions: ${moved}.`,
      others > 0
        ? `They go to the ${others} other member${others === 1 ? '' : 's'}. ${soon}`
        : 'Nobody else is there to take them: they wait for the next consumer.',
    ],
    command: {
      type: 'signal',
      signal,
      target: { session: row.member.id, name: row.name, pid: record.pid, startedAt: record.startedAt },
    },
  };
  return { ui: { ...ui, dialog } };
}

function askToStart({ ui, model }: Situation): Outcome {
  const dialog: Dialog = {
    question: 'Start a new consumer on this machine?',
    consequences: [
      `It joins group ${model.target?.group ?? ''} and takes its share of the partitions.`,
      'It runs on by itself when this screen is closed; its status lines go to a log file.',
    ],
    command: { type: 'start-consumer' },
  };
  return { ui: { ...ui, dialog } };
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
    help: 'open the panel, then the row',
    group: 'Move',
    hint: 'open',
    run: enter,
  },
  { keys: ['escape', 'backspace'], shown: 'Esc', help: 'back', group: 'Move', run: back },
  {
    keys: ['/'],
    shown: '/',
    help: 'filter all rows by a text',
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
        ui.focus === 'consumers'
          ? { ...ui, consumerSort: next(CONSUMER_SORTS, ui.consumerSort) }
          : { ...ui, partitionSort: next(PARTITION_SORTS, ui.partitionSort) },
    }),
  },
  {
    keys: ['space'],
    shown: 'space',
    help: 'freeze, and go on',
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
    run: ({ ui }) => ({ ui: { ...ui, help: !ui.help } }),
  },
  {
    keys: ['ctrl-l'],
    shown: 'Ctrl-L',
    help: 'draw everything again',
    group: 'Look',
    run: ({ ui }) => ({ ui, command: { type: 'redraw' } }),
  },
  {
    keys: ['x'],
    shown: 'x',
    help: 'stop the consumer: it hands over',
    group: 'Act',
    hint: 'stop',
    acts: true,
    run: (s) => askToSignal(s, 'SIGTERM'),
  },
  {
    keys: ['K'],
    shown: 'K',
    help: 'kill -9 the consumer (this machine)',
    group: 'Act',
    hint: 'kill',
    acts: true,
    run: (s) => askToSignal(s, 'SIGKILL'),
  },
  {
    keys: ['n'],
    shown: 'n',
    help: 'start a consumer on this machine',
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
  if (key === 'y' || key === 'Y' || key === 'enter') return { ui, command: dialog.command };
  // Whatever is not a yes is a no, but a stray key must not take the question away unseen.
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
