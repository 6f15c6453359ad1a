import { escapeControl } from '../../core/lib/text.js';
import type { Model } from '../model/model.js';
import type { Ui } from '../screen/state.js';
import { type Line, line, type Style, span, wrap } from './text.js';

const NOTICE_MS = 8_000;
const NOTICE_COLORS = { info: 'green', error: 'red', busy: 'yellow' } as const;

const wrapped = (text: string, columns: number, style: Style): Line[] =>
  wrap(escapeControl(text), columns).map((part) => line(part, style));

/** The question and its consequences, if any, wrapped to `columns`. */
export function questionLines({ dialog }: Ui, columns: number): Line[] {
  if (!dialog) return [];
  return [
    ...wrapped(dialog.question, columns, { bold: true, color: 'yellow' }),
    ...dialog.consequences.flatMap((text) => wrapped(text, columns, {})),
    [
      span('y', { bold: true }),
      span(' yes   ', { dim: true }),
      span('n', { bold: true }),
      span(' no', { dim: true }),
    ],
  ];
}

/** The notice about the last action, wrapped to `columns`. Empty if it has expired. */
export function noticeLines(model: Model, { notice, dialog }: Ui, columns: number): Line[] {
  if (!notice || dialog) return [];
  const { at, level, text } = notice;
  if (level !== 'busy' && model.now - at > NOTICE_MS) return [];
  return wrapped(text, columns, { color: NOTICE_COLORS[level], bold: true });
}
