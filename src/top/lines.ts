import { createInterface } from 'node:readline';
import { escapeControl } from '../core/lib/text.js';
import type { Selection } from '../text/complete-hints.js';
import { timeOfDay } from '../text/time-of-day.js';
import type { Feed } from './feed.js';
import { healthOf, problemsOf } from './model/health.js';
import type { Model } from './model/model.js';
import { type Hints, hintsOf, withFlags } from './screen/hints.js';
import { PANELS } from './screen/state.js';
import { textSnapshot } from './text-snapshot.js';
import { plain } from './view/text.js';
import { groupUpdates, updateLine } from './view/updates.js';

/** Updates are collected for this long. So a rebalance takes only one line. */
const GATHER_MS = 1_000;
/** All panels except the timeline, which is a picture. The updates say the same in words. */
const SPOKEN = PANELS.filter((id) => id !== 'timeline');
const HOWTO = 'Changes follow, one per line. Enter prints everything again; type q and Enter to quit.';

/** The text without durations. If only a duration changes, no line is printed. */
const withoutAges = (text: string): string => text.replace(/[\d.]+ ?(ms|s|m|h|d)\b/g, '');

function healthTexts(model: Model): string[] {
  const problems = problemsOf(model);
  return (problems.length > 0 ? problems : [healthOf(model)]).map(({ text }) => text);
}

/** The changes between two models, one per line, oldest first. */
export function news(before: Model, after: Model): string[] {
  const said: string[] = [];
  const last = before.updates.at(-1);
  const fresh = after.updates.slice(last === undefined ? 0 : after.updates.lastIndexOf(last) + 1);
  for (const group of groupUpdates(fresh)) said.push(plain(updateLine(after, group)));
  const now = timeOfDay(after.now, true, after.now);
  if (after.missing !== null && after.missing !== before.missing) {
    said.push(`${now}  ${escapeControl(after.missing)}`);
  }
  const told = new Set(healthTexts(before).map(withoutAges));
  for (const text of healthTexts(after))
    if (!told.has(withoutAges(text))) said.push(`${now}  health: ${escapeControl(text)}`);
  return said;
}

/** The output for lines and the input for keys. */
export interface LineTerminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream & { columns?: number };
}

/**
 * The group as lines for screen readers: first the whole state, then the changes. Lines are never redrawn. Everything is in words, not only
 * in colors or places.
 */
export class LineView {
  readonly #feed: Feed;
  readonly #hints: Hints;
  readonly #output: LineTerminal['output'];
  readonly #keys: ReturnType<typeof createInterface>;
  #told: Model | undefined;
  #timer: NodeJS.Timeout | undefined;
  #end: () => void = () => {};

  readonly closed: Promise<void>;

  constructor(feed: Feed, { input, output }: LineTerminal, selection: Selection) {
    this.#feed = feed;
    this.#hints = hintsOf(feed, selection);
    this.#output = output;
    this.#keys = createInterface({ input });
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Starts polling and printing. */
  open(intervalMs: number): void {
    this.#keys.on('line', (text) => (text.trim() === 'q' ? this.close() : this.#tellAll()));
    this.#keys.on('close', () => this.close());
    this.#feed.listen(() => {
      this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
    });
    this.#feed.every(intervalMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#feed.stop();
    this.#end();
    this.#keys.removeAllListeners('close');
    this.#keys.close();
  }

  #tell(): void {
    this.#timer = undefined;
    const { model } = this.#feed;
    if (this.#told) {
      this.#write(news(this.#told, model));
      this.#told = model;
    } else if ((model.ready && model.stream) || model.missing !== null) {
      // Nothing is printed before the first round is complete. An incomplete group would look broken.
      this.#tellAll();
    }
  }

  #tellAll(): void {
    const { model } = this.#feed;
    this.#told = model;
    this.#output.write(textSnapshot(model, this.#output.columns || 80, this.#hints, SPOKEN));
    this.#write(['', HOWTO]);
  }

  #write(lines: readonly string[]): void {
    const { model } = this.#feed;
    const complete = lines.map((text) => escapeControl(withFlags(text, model, this.#hints)));
    this.#output.write(complete.map((text) => `${text}\n`).join(''));
  }
}
