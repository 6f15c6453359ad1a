import type { Cancel, Clock } from '../../../src/core/lib/clock.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** Keeps a timer from firing a hair before its time because of rounding. */
const ROUNDING_MS = 1e-6;

/** How fast a process's clock runs, and what it shows at the start. */
export interface ClockRate {
  rate: number;
  offset: number;
}

/**
 * An operating system process: a clock of its own, and a loop that can be stopped. While it is stopped its
 * timers and its input wait; when it goes on they come at once, in one of the orders that a real event loop
 * may choose.
 */
export class Process {
  readonly clock: Clock;
  readonly #timeline: Timeline;
  readonly #random: Random;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #input: (() => void)[] = [];
  #timers: (() => void)[] = [];
  /** In true time: up to then it is in a call that does not return. */
  #busyUntil = Number.NEGATIVE_INFINITY;
  /** When it last went on after a stop, in true time. */
  wokeAt = Number.NEGATIVE_INFINITY;

  constructor(timeline: Timeline, random: Random, { rate, offset }: ClockRate) {
    this.#timeline = timeline;
    this.#random = random;
    this.clock = {
      now: () => offset + rate * this.at,
      at: (atMs, callback) => this.#timer((atMs - offset) / rate + ROUNDING_MS, callback),
    };
  }

  /** Where it is in true time: ahead of the timeline while a call keeps it busy. */
  get at(): number {
    return Math.max(this.#timeline.now, this.#busyUntil);
  }

  /** Computes for so long, without looking at anything that comes meanwhile. */
  compute(forMs: number): void {
    this.#busyUntil = this.at + forMs;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  /** Something arrives from outside, now. */
  receive(run: () => void): void {
    if (this.#state === 'running') {
      if (this.#busyUntil > this.#timeline.now) this.#timeline.at(this.#busyUntil, () => this.receive(run));
      else run();
    } else if (this.#state === 'paused') this.#input.push(run);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.wokeAt = this.#timeline.now;
    const [input, timers] = [this.#input, this.#timers];
    this.#input = [];
    this.#timers = [];
    const order = this.#random.chance(0.5) ? [...input, ...timers] : [...timers, ...input];
    for (const run of order) this.#timeline.after(0, () => this.receive(run));
  }

  die(): void {
    this.#state = 'dead';
    this.#input = [];
    this.#timers = [];
  }

  #timer(at: number, callback: () => void): Cancel {
    const scheduled = this.#timeline.at(at, () => {
      if (this.#state === 'paused') this.#timers.push(() => scheduled.run && callback());
      else if (this.#busyUntil > this.#timeline.now) this.receive(() => scheduled.run && callback());
      else if (this.#state === 'running') callback();
    });
    return () => {
      scheduled.run = null;
    };
  }
}
