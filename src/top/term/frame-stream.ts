import { Writable } from 'node:stream';
import type { LineTexts } from './line-texts.js';

const csi = (sequence: string): string => `\u001b[${sequence}`;

const SYNC_BEGIN = csi('?2026h');
const SYNC_END = csi('?2026l');

/** The properties of a terminal stream that Ink uses. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/**
 * The terminal's output for Ink. In debug mode, Ink writes whole frames. This stream sends only the changed rows to the terminal, in one
 * synchronized update. It sends no line feeds, so nothing scrolls.
 */
export class FrameStream extends Writable {
  readonly #send: (bytes: string) => void;
  readonly #texts: LineTexts;
  readonly #size: () => TerminalSize;
  #shown: string[] = [];

  constructor(send: (bytes: string) => void, texts: LineTexts, size: () => TerminalSize) {
    super({ decodeStrings: false });
    this.#send = send;
    this.#texts = texts;
    this.#size = size;
  }

  get columns(): number {
    return this.#size().columns;
  }

  get rows(): number {
    return this.#size().rows;
  }

  /** Draws everything again for a new size of the terminal. */
  resize(): void {
    this.#send(csi('0m') + csi('2J'));
    this.#shown = [];
    this.emit('resize');
  }

  /** Clears the screen and draws the last frame again. */
  redraw(): void {
    const rows = this.#shown;
    this.#shown = [];
    this.#send(csi('0m') + csi('2J'));
    this.#paint(rows);
  }

  override _write(frame: string, _encoding: BufferEncoding, done: () => void): void {
    // Ink writes an empty frame at its end.
    if (frame !== '') this.#paint(this.#texts.fill(frame).slice(0, this.rows));
    done();
  }

  #paint(rows: string[]): void {
    const height = Math.max(rows.length, this.#shown.length);
    let changed = '';
    for (let i = 0; i < height; i++) {
      if (rows[i] !== this.#shown[i])
        changed += `${csi(`${i + 1};1H`)}${csi('0m')}${csi('2K')}${rows[i] ?? ''}`;
    }
    this.#shown = rows;
    if (changed !== '') this.#send(`${SYNC_BEGIN}${changed}${csi('0m')}${SYNC_END}`);
  }
}
