import { writeSync } from 'node:fs';
import { FrameStream } from './frame-stream.js';
import { KeyStream } from './key-stream.js';
import { LineTexts } from './line-texts.js';

/** Alternate screen, no cursor, no wrapping of lines that are too wide. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

type Output = NodeJS.WriteStream & { fd: number };

/**
 * The terminal while the screen uses it: alternate screen and raw keys from `open` to `close`. Except after SIGKILL, the terminal is always
 * restored.
 */
export class Terminal {
  /** The streams that Ink uses. `texts` replace the placeholders in its output. */
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

  open(): void {
    this.#isOpen = true;
    process.on('exit', this.#restore);
    this.#send(ENTER);
    this.#stdout.on('resize', this.#resized);
    // After a suspension, the screen can show another program's output.
    process.on('SIGCONT', this.#continued);
  }

  /** Restores the terminal. Further calls do nothing. */
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
      // The process may be about to end, so the write is synchronous.
      writeSync(this.#stdout.fd, LEAVE);
    } catch {
      // The terminal is gone.
    }
  };

  readonly #resized = (): void => this.output.resize();
  readonly #continued = (): void => this.output.redraw();
}
