import type { Place } from '../view/segments.js';

const csi = (sequence: string): string => `\u001b[${sequence}`;

/** Terminals that know it show what is between these two at once. */
const SYNC_BEGIN = csi('?2026h');
const SYNC_END = csi('?2026l');

/** A line with its colours, to be put where it belongs. */
export interface Patch extends Place {
  text: string;
}

/**
 * The bytes that bring changed lines onto a terminal, each at its place. Nothing is erased that stays, so nothing
 * flickers; nothing is a line feed, so nothing scrolls. `clear`: the terminal is emptied first.
 */
export function paint(patches: readonly Patch[], clear: boolean): string {
  const lines = patches.map(({ row, column, width, text }) => {
    // Erased first, and only as far as the line reaches: beside it is another panel.
    return `${csi(`${row + 1};${column + 1}H`)}${csi('0m')}${csi(`${width}X`)}${text}`;
  });
  return `${SYNC_BEGIN}${clear ? csi('0m') + csi('2J') : ''}${lines.join('')}${csi('0m')}${SYNC_END}`;
}
