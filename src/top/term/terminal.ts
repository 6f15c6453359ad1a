import { writeSync } from 'node:fs';
import type { Size } from '../view/layout.js';
import { type Patch, paint } from './frame-writer.js';
import { readKeys } from './input.js';

/** Alternate screen, no cursor, no wrapping of lines that are wider than we think. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** An Escape that is not followed by the rest of a sequence within this time is the key. */
const ESCAPE_MS = 30;

/** A terminal to write to, and the number by which it can be written to at once. */
type Output = NodeJS.WriteStream & { fd: number };

/** What the screen wants to hear from its terminal. */
export interface TerminalEvents {
  key(key: string): void;
  /** The size has changed, or the process was stopped and goes on: draw from nothing. */
  resized(): void;
}

/**
 * The terminal while the screen has it: alternate screen and raw keys from `open` to `close`. Whatever way the
 * process ends, it gives the terminal back as it was; only SIGKILL is beyond it.
 */
export class Terminal {
  readonly #stdin: NodeJS.ReadStream;
  readonly #stdout: Output;
  #events: TerminalEvents | undefined;
  #unread = '';
  #escape: NodeJS.Timeout | undefined;

  constructor(stdin: NodeJS.ReadStream, stdout: Output) {
    this.#stdin = stdin;
    this.#stdout = stdout;
  }

  get size(): Size {
    return { columns: this.#stdout.columns || 80, rows: this.#stdout.rows || 24 };
  }

  /** Takes the terminal over. */
  open(events: TerminalEvents): void {
    this.#events = events;
    process.on('exit', this.#restore);
    this.#stdout.write(ENTER);
    this.#stdin.setRawMode(true);
    this.#stdin.setEncoding('utf8');
    this.#stdin.on('data', this.#read);
    this.#stdin.resume();
    this.#stdout.on('resize', this.#resized);
    process.on('SIGCONT', this.#resized);
  }

  /** Shows lines that have changed. `fresh`: on an empty screen. */
  show(patches: readonly Patch[], fresh: boolean): void {
    if (this.#events) this.#stdout.write(paint(patches, fresh));
  }

  /** Gives the terminal back; harmless when it has been given back already. */
  close(): void {
    this.#restore();
    process.off('exit', this.#restore);
    process.off('SIGCONT', this.#resized);
    this.#stdin.off('data', this.#read);
    this.#stdin.pause();
    this.#stdout.off('resize', this.#resized);
    clearTimeout(this.#escape);
  }

  readonly #restore = (): void => {
    if (!this.#events) return;
    this.#events = undefined;
    try {
      this.#stdin.setRawMode(false);
      // Written at once: the process may be at its very end.
      writeSync(this.#stdout.fd, LEAVE);
    } catch {
      // The terminal is gone, and with it what there was to restore.
    }
  };

  readonly #resized = (): void => this.#events?.resized();

  readonly #read = (chunk: string): void => {
    clearTimeout(this.#escape);
    const { keys, rest } = readKeys(this.#unread + chunk);
    this.#unread = rest;
    for (const key of keys) this.#events?.key(key);
    if (rest === '') return;
    this.#escape = setTimeout(() => {
      const lone = this.#unread === '\u001b';
      this.#unread = '';
      if (lone) this.#events?.key('escape');
    }, ESCAPE_MS);
  };
}
