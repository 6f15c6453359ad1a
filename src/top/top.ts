import { hostname } from 'node:os';
import type { Feed } from './feed.js';
import type { Model } from './model/model.js';
import { press } from './screen/keys.js';
import { announce, perform } from './screen/perform.js';
import { type Command, initialUi, type Notice, type Ui } from './screen/state.js';
import type { Terminal } from './term/terminal.js';
import { Renderer } from './ui/renderer.js';
import { frameOf } from './view/frame.js';

/** What comes in is gathered for a moment before it is drawn. */
const GATHER_MS = 50;
/** And drawn at most this often, so that a busy group costs no more than a quiet one. Keys are drawn at once. */
const PAINT_EVERY_MS = 400;
/** Ages and the clock go on without news. */
const TICK_MS = 1_000;
/** Lines of the screen that are not rows of a panel with the whole screen. */
const FRAME_ROWS = 8;

/** How a screen is opened. */
export interface ScreenOptions {
  terminal: Terminal;
  feed: Feed;
  colors: boolean;
  readonly: boolean;
  intervalMs: number;
  /** The environment of consumers that are started from here. */
  env: NodeJS.ProcessEnv;
}

/** The open screen: models and keys in, frames out. */
export class Screen {
  readonly #options: ScreenOptions;
  readonly #renderer: Renderer;
  #model: Model;
  /** When the model came, to let its ages go on. */
  #modelAt = performance.now();
  #ui: Ui;
  #paintedAt = 0;
  /** How far the help on the screen can be scrolled. */
  #helpEnd = 0;
  #paintTimer: NodeJS.Timeout | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #isClosed = false;
  #end: () => void = () => {};

  /** Resolves when the screen is closed. */
  readonly closed: Promise<void>;

  constructor(options: ScreenOptions) {
    const { terminal, colors, readonly, intervalMs, feed } = options;
    this.#options = options;
    this.#model = feed.model;
    this.#ui = initialUi({ readonly, intervalMs, host: hostname() });
    this.#renderer = new Renderer((patches, fresh) => terminal.show(patches, fresh), { colors });
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Takes the terminal, draws, and begins to ask. */
  open(): void {
    const { terminal, feed, intervalMs } = this.#options;
    terminal.open({ key: (key) => this.#press(key), resized: () => this.#redraw() });
    feed.listen((model) => {
      this.#model = model;
      this.#modelAt = performance.now();
      this.#paintSoon();
    });
    this.#ticker = setInterval(() => this.#paintSoon(), TICK_MS);
    this.#paint();
    feed.every(intervalMs);
  }

  /** Gives the terminal back; harmless when that has been done already. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#paintTimer);
    clearInterval(this.#ticker);
    this.#options.feed.stop();
    this.#options.terminal.close();
    this.#renderer.close();
    this.#end();
  }

  /** Tells what is going on, until there is something else to tell. */
  tell(text: string): void {
    this.#say({ text, level: 'busy' });
  }

  /** The model as of now. */
  #current(): Model {
    return { ...this.#model, now: this.#model.now + performance.now() - this.#modelAt };
  }

  #press(key: string): void {
    const page = Math.max(1, this.#options.terminal.size.rows - FRAME_ROWS);
    const model = this.#ui.frozen ?? this.#current();
    const { ui, command } = press({ ui: this.#ui, model, page, helpEnd: this.#helpEnd }, key);
    this.#ui = ui;
    if (command) void this.#perform(command);
    if (command?.type !== 'quit') this.#paint();
  }

  async #perform(command: Command): Promise<void> {
    const { feed, env } = this.#options;
    if (command.type === 'quit') return this.close();
    if (command.type === 'redraw') return this.#redraw();
    this.#say(announce(command));
    const { operator } = feed;
    this.#say(await perform(command, { env, operator, setInterval: (ms) => feed.every(ms) }));
  }

  #say(said: Omit<Notice, 'at'> | undefined): void {
    if (this.#isClosed) return;
    if (said) this.#ui = { ...this.#ui, notice: { ...said, at: this.#current().now } };
    this.#paintSoon();
  }

  #redraw(): void {
    this.#renderer.forget();
    this.#paint();
  }

  #paintSoon(): void {
    const due = PAINT_EVERY_MS - (performance.now() - this.#paintedAt);
    this.#paintTimer ??= setTimeout(() => this.#paint(), Math.max(GATHER_MS, due));
  }

  #paint(): void {
    clearTimeout(this.#paintTimer);
    this.#paintTimer = undefined;
    this.#paintedAt = performance.now();
    const frame = frameOf(this.#current(), this.#ui, this.#options.terminal.size);
    this.#helpEnd = frame.helpEnd;
    this.#renderer.draw(frame);
  }
}
