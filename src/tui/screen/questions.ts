import { memberRows } from '../model/select.js';
import { partitionList } from '../view/consumers.js';
import type { Outcome, Situation } from './outcome.js';
import type { Dialog } from './state.js';

const selectedMember = ({ ui, model }: Situation) =>
  ui.focus === 'consumers'
    ? memberRows(model).find(({ member }) => member.id === ui.selected.consumers)
    : undefined;

/** Asks before the selected member is ended by a signal. */
export function askToSignal(situation: Situation, signal: 'SIGTERM' | 'SIGKILL'): Outcome {
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

/** Asks before a process is started. */
export function askToStart({ ui, model }: Situation): Outcome {
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
