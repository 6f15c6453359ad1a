import { Writable } from 'node:stream';
import type { LineTexts } from './line-texts.js';

const csi = (sequence: string): string => `\u001b[${sequence}`;

/** Terminals that know it show what is between these two at once. */
const SYNC_BEGIN = csi('?2026h');
const SYNC_END = csi('?2026l');

/** What Ink asks of the terminal that it writes to. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/**
 * The terminal's output as Ink needs it. In its debug mode Ink writes every frame whole; of that the terminal gets the
 * rows that have changed, each at its place, in one synchronised update. Nothing is a line feed, so nothing scrolls.
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

  /** The terminal has another size: everything has another place. */
  resize(): void {
    this.#send(csi('0m') + csi('2J'));
    this.#shown = [];
    this.emit('resize');
  }

  /** Draws the last frame again, on an empty screen. */
  redraw(): void {
    const rows = this.#shown;
    this.#shown = [];
    this.#send(csi('0m') + csi('2J'));
    this.#paint(rows);
  }

  override _write(frame: string, _encoding: BufferEncoding, done: () => void): void {
    // Ink's last write is empty: it waits for the others.
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
