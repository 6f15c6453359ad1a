import { Writable } from 'node:stream';
import { type Instance, render } from 'ink';
import type { Frame } from '../view/frame.js';
import { App } from './app.js';

/** Takes what Ink writes. It says that it is a terminal's output, which is all that Ink asks of it. */
class Sink extends Writable {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    super({ decodeStrings: false });
    this.#write = write;
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    this.#write(String(chunk));
    done();
  }
}

/**
 * Ink as a maker of frames: each `draw` gives one whole frame to `show`, at once. What Ink would do with a terminal
 * itself (erase and write everything again, clear the scrollback when a frame is as tall as the screen) is left to
 * the frame writer.
 */
export class Renderer {
  readonly #colors: boolean;
  readonly #sink: NodeJS.WriteStream;
  #instance: Instance | undefined;

  constructor(show: (frame: string) => void, options: { colors: boolean }) {
    this.#colors = options.colors;
    this.#sink = new Sink(show) as unknown as NodeJS.WriteStream;
  }

  /** Renders a frame. */
  draw(frame: Frame): void {
    this.#sink.columns = frame.columns;
    this.#sink.rows = frame.rows;
    const app = <App frame={frame} colors={this.#colors} />;
    if (this.#instance) this.#instance.rerender(app);
    else {
      // In its debug mode Ink writes every frame whole, unthrottled and without any erasing.
      const options = { debug: true, exitOnCtrlC: false, patchConsole: false, stdout: this.#sink };
      this.#instance = render(app, options);
    }
  }

  /** Ends Ink. */
  close(): void {
    this.#instance?.unmount();
  }
}
