import { writeSync } from 'node:fs';
import { FrameStream } from './frame-stream.js';
import { KeyStream } from './key-stream.js';
import { LineTexts } from './line-texts.js';

/** Alternate screen, no cursor, no wrapping of lines that are too wide. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** A terminal stream and its file descriptor, for synchronous writes. */
type Output = NodeJS.WriteStream & { fd: number };

/**
 * The terminal while the screen uses it: alternate screen and raw keys from `open` to `close`. The terminal is restored however the process
 * ends, except by SIGKILL.
 */
export class Terminal {
  /** The streams that Ink uses, and the texts that replace the placeholders in its output. */
  readonly input: KeyStream;
  readonly output: FrameStream;
  readonly texts: LineTexts;
  readonly #stdin: NodeJS.ReadStream;
  readonly #stdout: Output;
  #isOpen = false;

  constructor(stdin: NodeJS.ReadStream, stdout: Output, { colors }: { colors: boolean }) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.texts = new LineTexts({ colors });
    this.input = new KeyStream(stdin);
    this.output = new FrameStream(this.#send, this.texts, () => ({
      columns: stdout.columns || 80,
      rows: stdout.rows || 24,
    }));
  }

  /** Takes over the terminal. */
  open(): void {
    this.#isOpen = true;
    process.on('exit', this.#restore);
    this.#send(ENTER);
    this.#stdout.on('resize', this.#resized);
    // After a suspension another program's output may be on the screen.
    process.on('SIGCONT', this.#continued);
  }

  /** Restores the terminal; harmless if called again. */
  close(): void {
    this.#restore();
    process.off('exit', this.#restore);
    process.off('SIGCONT', this.#continued);
    this.#stdout.off('resize', this.#resized);
  }

  readonly #send = (bytes: string): void => {
    if (this.#isOpen) this.#stdout.write(bytes);
  };

  readonly #restore = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#stdin.setRawMode(false);
      // The write is synchronous, because the process may be about to end.
      writeSync(this.#stdout.fd, LEAVE);
    } catch {
      // The terminal is gone, so there is nothing to restore.
    }
  };

  readonly #resized = (): void => this.output.resize();
  readonly #continued = (): void => this.output.redraw();
}
