import type { Feed, ReplayStep } from './feed.js';
import type { TopEvent } from './model/events.js';
import { initialModel, type Model, type Replay } from './model/model.js';
import { reduce } from './model/reduce.js';

const TICK_MS = 100;
/** The speeds, as multiples of the recorded speed. */
const SPEEDS = [0.5, 1, 2, 4, 8, 16, 32, 64];
/** The number of models that are kept. They let a replay move backwards. */
const KEPT_MODELS = 50;

/** The model before the event with the number `next`. */
interface Kept {
  next: number;
  model: Model;
}

/** A replay of a recording, at the recorded speed or at a speed that the user chooses. */
export class ReplayFeed implements Feed {
  readonly operator = undefined;
  readonly choice = undefined;
  readonly #events: readonly TopEvent[];
  readonly #kept: Kept[];
  readonly #keepEvery: number;
  #next = 0;
  #model: Model;
  #replay: Replay;
  #timer: NodeJS.Timeout | undefined;
  #listener: (model: Model) => void = () => {};

  constructor(events: readonly TopEvent[]) {
    this.#events = events;
    const startAt = events[0]?.at ?? 0;
    this.#model = initialModel(startAt);
    this.#keepEvery = Math.max(1, Math.ceil(events.length / KEPT_MODELS));
    this.#kept = [{ next: 0, model: this.#model }];
    this.#replay = { at: startAt, startAt, endAt: events.at(-1)?.at ?? startAt, speed: 1, isPlaying: true };
  }

  get model(): Model {
    return { ...this.#model, replay: this.#replay };
  }

  listen(listener: (model: Model) => void): void {
    this.#listener = listener;
  }

  /** Starts the replay. Takes no interval, because the recorded events have times. */
  every(): void {
    if (this.#timer) return;
    let before = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (this.#replay.isPlaying) this.#playTo(this.#replay.at + (now - before) * this.#replay.speed);
      before = now;
    }, TICK_MS);
  }

  readonly replay = (step: ReplayStep): void => {
    const { at, speed } = this.#replay;
    if (step.do === 'toggle') this.#toggle();
    else if (step.do === 'faster') this.#change({ speed: SPEEDS.find((each) => each > speed) ?? speed });
    else if (step.do === 'slower') this.#change({ speed: SPEEDS.findLast((each) => each < speed) ?? speed });
    else this.#playTo(at + step.by);
  };

  /** Shows the end of the recording. */
  finish(): void {
    this.#playTo(this.#replay.endAt);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Pauses or continues the replay. At the end of the recording, starts it again. */
  #toggle(): void {
    const { at, startAt, endAt, isPlaying } = this.#replay;
    const isAtEnd = at >= endAt;
    if (isAtEnd) this.#playTo(startAt);
    this.#change({ isPlaying: isAtEnd || !isPlaying });
  }

  #change(changes: Partial<Replay>): void {
    this.#replay = { ...this.#replay, ...changes };
    this.#listener(this.model);
  }

  /** Shows another moment of the recording. The replay stops at the end. */
  #playTo(wanted: number): void {
    const { startAt, endAt, isPlaying } = this.#replay;
    const at = Math.max(startAt, Math.min(endAt, wanted));
    if (at < this.#replay.at) this.#goBackTo(at);
    for (let event = this.#events[this.#next]; event && event.at <= at; event = this.#events[++this.#next]) {
      if (this.#next % this.#keepEvery === 0 && this.#next > (this.#kept.at(-1)?.next ?? 0))
        this.#kept.push({ next: this.#next, model: this.#model });
      this.#model = reduce(this.#model, event);
    }
    this.#model = reduce(this.#model, { type: 'tick', at });
    this.#change({ at, isPlaying: isPlaying && at < endAt });
  }

  #goBackTo(at: number): void {
    const kept = this.#kept.findLast(({ next }) => (this.#events[next]?.at ?? at) <= at) ?? this.#kept[0];
    if (!kept) return;
    this.#next = kept.next;
    this.#model = kept.model;
  }
}
