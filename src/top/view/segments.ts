import type { Frame, PanelFrame } from './frame.js';
import { GUTTER } from './layout.js';
import { type Line, span, textWidth, truncateLine } from './text.js';

/** One line's place on the screen, counted from 0; what it does not fill of its width is blank. */
export interface Place {
  row: number;
  column: number;
  width: number;
}

/** A line at its place. */
export interface Segment extends Place {
  spans: Line;
  /** Shows what was, not what is. */
  stale: boolean;
}

function titleLine({ title, info, focused }: PanelFrame, width: number): Line {
  const name = span(`${focused ? '▶' : '─'} ${title} `, { bold: true, inverse: focused });
  const tail = info === '' ? '' : ` ${info} ─`;
  const rule = '─'.repeat(Math.max(0, width - textWidth(name.text) - textWidth(tail)));
  return [name, span(rule + tail, { dim: true })];
}

/** A frame as lines that cover all of the screen but the gutters, always in the same order. */
export function segmentsOf(frame: Frame): Segment[] {
  const { columns, rows, stale, header, bands, body, dialog, footer } = frame;
  const segments: Segment[] = [];
  const put = (row: number, column: number, width: number, spans: Line, old: boolean): void => {
    segments.push({ row, column, width, spans: truncateLine(spans, width), stale: old });
  };
  for (const [row, spans] of header.entries()) put(row, 0, columns, spans, false);
  let top = header.length;
  for (const { height, stacks } of bands) {
    let column = 0;
    for (const { width, panels } of stacks) {
      const lines = panels.flatMap((panel) => {
        const shown = [titleLine(panel, width), ...panel.lines];
        return Array.from({ length: panel.height }, (_, i): Line => shown[i] ?? []);
      });
      for (let i = 0; i < height; i++) put(top + i, column, width, lines[i] ?? [], stale);
      column += width + GUTTER;
    }
    top += height;
  }
  const below = rows - dialog.length - 1;
  for (let row = top; row < below; row++) put(row, 0, columns, body[row - top] ?? [], false);
  for (const [i, spans] of dialog.entries()) put(below + i, 0, columns, spans, false);
  put(rows - 1, 0, columns, footer, false);
  return segments;
}

/** True if two segments look the same. */
export function sameSegment(a: Segment, b: Segment): boolean {
  return (
    a.stale === b.stale &&
    a.spans.length === b.spans.length &&
    a.spans.every((left, i) => {
      const right = b.spans[i];
      return (
        right !== undefined &&
        left.text === right.text &&
        left.color === right.color &&
        left.bold === right.bold &&
        left.dim === right.dim &&
        left.inverse === right.inverse
      );
    })
  );
}
