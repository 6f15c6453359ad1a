import type { Model } from '../model/model.js';
import type { Ui } from '../screen/state.js';
import type { Size } from './layout.js';
import { type Line, type Span, span, wrappedLines } from './text.js';

const NOTICE_MS = 8_000;
const NOTICE_COLORS = { info: 'green', error: 'red', busy: 'yellow' } as const;

const ANSWERS: Line = [
  span('y', { bold: true }),
  span(' yes   ', { dim: true }),
  span('n', { bold: true }),
  span(' no', { dim: true }),
];

/** Cuts lines off the longest texts until all texts together have at most `rows` lines. */
function shorten(texts: readonly Line[][], rows: number): Line[][] {
  const shown = texts.map((lines) => [...lines]);
  for (let over = shown.flat().length - rows; over > 0; over--) {
    const longest = shown.reduce((most, lines) => (lines.length > most.length ? lines : most), []);
    longest.pop();
    const last = longest.pop();
    if (last) longest.push([...last.slice(0, -1), ...last.slice(-1).map(cutShort)]);
  }
  return shown;
}

const cutShort = (last: Span): Span => ({ ...last, text: last.text.replace(/(?: \S{0,9})?…?$/, ' …') });

/** The question and its consequences, if any, shortened to `rows` lines of `columns`. The answers are always complete. */
export function questionLines({ dialog }: Pick<Ui, 'dialog'>, { columns, rows }: Size): Line[] {
  if (!dialog) return [];
  const texts = [
    wrappedLines(dialog.question, columns, { bold: true, color: 'yellow' }),
    ...dialog.consequences.map((text) => wrappedLines(text, columns, {})),
  ];
  return [...shorten(texts, rows - 1).flat(), ANSWERS];
}

/** The notice about the last action, wrapped to `columns`. Empty if it has expired. */
export function noticeLines(model: Model, { notice, dialog }: Ui, columns: number): Line[] {
  if (!notice || dialog) return [];
  const { at, level, text } = notice;
  if (level !== 'busy' && model.now - at > NOTICE_MS) return [];
  return wrappedLines(text, columns, { color: NOTICE_COLORS[level], bold: true });
}
