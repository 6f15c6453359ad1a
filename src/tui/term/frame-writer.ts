import type { Size } from '../view/layout.js';

const csi = (sequence: string): string => `\u001b[${sequence}`;

/** Terminals that know it show what is between these two at once. */
const SYNC_BEGIN = csi('?2026h');
const SYNC_END = csi('?2026l');

/**
 * Turns whole frames into the least that has to be written: each changed line, at its place. Nothing is ever
 * erased that stays, so nothing flickers, and nothing scrolls.
 */
export class FrameWriter {
  readonly #write: (text: string) => void;
  #lines: string[] = [];
  #size: Size = { columns: 0, rows: 0 };

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Shows a frame, lines separated by line feeds. */
  show(frame: string, size: Size): void {
    const lines = frame.split('\n').slice(0, size.rows);
    const resized = size.columns !== this.#size.columns || size.rows !== this.#size.rows;
    let out = resized ? csi('2J') : '';
    const before = resized ? [] : this.#lines;
    for (let row = 0; row < Math.max(lines.length, before.length); row++) {
      const line = lines[row] ?? '';
      // Erased first: erasing after a line that fills the last column would take its last character.
      if (line !== (before[row] ?? '')) out += `${csi(`${row + 1};1H`)}${csi('0m')}${csi('2K')}${line}`;
    }
    this.#lines = lines;
    this.#size = { ...size };
    if (out !== '') this.#write(`${SYNC_BEGIN}${out}${csi('0m')}${SYNC_END}`);
  }

  /** Forgets what the terminal shows, so that the next frame is written in full. */
  forget(): void {
    this.#size = { columns: 0, rows: 0 };
    this.#lines = [];
  }
}
