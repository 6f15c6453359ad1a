import { escapeControl, shellWord } from '../../core/lib/text.js';
import type { FoundLetter } from '../../core/protocol/dead-letter.js';
import { formatLetter, whenGivenUp } from '../../text/dead-letter-lines.js';
import type { Model } from '../model/model.js';
import { withFlags } from '../screen/hints.js';
import type { LetterList, ShownLetter, Ui } from '../screen/state.js';
import { count, UNKNOWN } from './format.js';
import type { Size } from './layout.js';
import { type Column, table, tableLines } from './table.js';
import { type Line, line, wrap, wrappedLines } from './text.js';
import { describeWindow, windowOf } from './window.js';

const FRAME = 4;

const COLUMNS: Column<FoundLetter>[] = [
  { title: 'LETTER', rank: 0, align: 'right', cell: ({ sequence }) => `${sequence}` },
  { title: 'GIVEN UP', rank: 2, cell: ({ time }) => whenGivenUp(time) },
  { title: 'PART', rank: 1, cell: ({ partition }) => `p${partition}` },
  { title: 'SEQUENCE', rank: 1, align: 'right', cell: ({ from }) => `${from}` },
  { title: 'KEY', rank: 3, max: 24, cell: ({ key }) => (key === null ? UNKNOWN : escapeControl(key)) },
  { title: 'GROUP', rank: 4, max: 24, cell: ({ group }) => escapeControl(group) },
  { title: 'TRIES', rank: 5, align: 'right', cell: ({ attempts }) => count(attempts) },
  { title: 'ERROR', rank: 0, cell: ({ error }) => escapeControl(error) },
];

const dim = (text: string): Line => line(text, { dim: true });

/** The dead letters of the stream, newest first, or one letter in full. The last line explains the keys. */
export function letterLines(
  model: Model,
  ui: Pick<Ui, 'hints' | 'readonly'>,
  list: LetterList,
  size: Size,
): Line[] {
  const { rows, at, shown } = list;
  const acts = ui.readonly ? '' : 'b puts it back, x drops it, ';
  if (shown) {
    const { sequence, group } = shown.letter;
    const command = `natspoc stream dead ${sequence} --group ${shellWord(group)}`;
    const rest = withFlags(`… the rest: "${command}"`, model, ui.hints);
    return letterInFull(shown, size, rest, dim(`${acts}↑ ↓ move to another letter, Esc goes back`));
  }
  const title = line('The dead letters of the stream', { bold: true });
  if (!rows) return [title, dim('loading …')];
  const keys = dim(`Enter shows it, ${acts}L refreshes, Esc goes back`);
  if (rows.length === 0) return [title, dim('none'), line(''), keys];
  const part = windowOf(rows.length, Math.max(1, size.rows - FRAME), at, 'start');
  const head = line(`The dead letters of the stream (${describeWindow(part, rows.length)})`, { bold: true });
  const room = { width: size.columns, selected: at - part.start };
  return [head, ...tableLines(table(COLUMNS, rows.slice(part.start, part.end), room)), line(''), keys];
}

/** @param command says how to show what does not fit. */
function letterInFull(
  { letter, original }: ShownLetter,
  { columns, rows }: Size,
  command: string,
  keys: Line,
): Line[] {
  const lines =
    original === null ? [`Dead letter ${letter.sequence}`, 'loading …'] : formatLetter(letter, original);
  const wrapped = lines.flatMap((text) => (text === '' ? [''] : wrap(text, columns)));
  const room = Math.max(1, rows - 2);
  const rest = wrapped.length > room ? wrappedLines(command, columns, { dim: true }) : [];
  const visible = wrapped.slice(0, Math.max(0, room - rest.length)).map((text) => line(text));
  return [...visible, ...rest, line(''), keys];
}
