import './production.js';

import { Writable } from 'node:stream';
import { type Instance, render } from 'ink';
import { createElement } from 'react';
import type { Patch } from '../term/frame-writer.js';
import type { Frame } from '../view/frame.js';
import { type Segment, sameSegment, segmentsOf } from '../view/segments.js';
import { App } from './app.js';

/** Takes what Ink writes. */
class Sink extends Writable {
  readonly #take: (text: string) => void;

  constructor(take: (text: string) => void) {
    super({ decodeStrings: false });
    this.#take = take;
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    this.#take(String(chunk));
    done();
  }
}

/**
 * Ink as a maker of lines. It spends a millisecond on every few hundred characters, so it is given only the lines that
 * have changed; and what it would do with a terminal (erase and write everything again, clear the scrollback when
 * a frame is as tall as the screen) is left to the frame writer.
 */
export class Renderer {
  readonly #show: (patches: Patch[], fresh: boolean) => void;
  readonly #colors: boolean;
  readonly #sink: NodeJS.WriteStream;
  #instance: Instance | undefined;
  #drawn: Segment[] = [];
  #shape = '';
  #pending: Segment[] = [];
  #fresh = true;

  /** `show` gets what has changed; `fresh`: the screen is to be cleared first. */
  constructor(show: (patches: Patch[], fresh: boolean) => void, options: { colors: boolean }) {
    this.#show = show;
    this.#colors = options.colors;
    // Of a terminal's output Ink reads only what is set here.
    this.#sink = new Sink((text) => this.#take(text)) as unknown as NodeJS.WriteStream;
  }

  /** Renders what has changed since the frame before. */
  draw(frame: Frame): void {
    const segments = segmentsOf(frame);
    const shape = segments.map(({ row, column, width }) => `${row} ${column} ${width}`).join();
    this.#fresh = shape !== this.#shape;
    this.#pending = this.#fresh ? segments : segments.filter((each, i) => !same(each, this.#drawn[i]));
    this.#drawn = segments;
    this.#shape = shape;
    if (this.#pending.length === 0) return;
    this.#sink.columns = frame.columns;
    this.#sink.rows = frame.rows;
    const app = createElement(App, { segments: this.#pending, colors: this.#colors });
    if (this.#instance) this.#instance.rerender(app);
    else {
      // In its debug mode Ink writes everything whole, at once and without any erasing.
      const options = { debug: true, exitOnCtrlC: false, patchConsole: false, stdout: this.#sink };
      this.#instance = render(app, options);
    }
  }

  /** The next frame is drawn from nothing. */
  forget(): void {
    this.#shape = '';
  }

  /** Ends Ink. */
  close(): void {
    this.#pending = [];
    this.#instance?.unmount();
  }

  #take(text: string): void {
    const lines = text.split('\n');
    const patches = this.#pending.map((segment, i): Patch => ({ ...segment, text: lines[i] ?? '' }));
    // What Ink writes at its end, or again, belongs to no line.
    this.#pending = [];
    if (patches.length > 0) this.#show(patches, this.#fresh);
  }
}

const same = (a: Segment, b: Segment | undefined): boolean => b !== undefined && sameSegment(a, b);
