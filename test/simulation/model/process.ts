import type { Cancel, Clock } from '../../../src/core/lib/clock.js';
import type { Timeline } from '../../../src/core/testing/timeline.js';
import type { Random } from './random.js';

/** Without this tolerance, rounding could make a timer fire too early. */
const ROUNDING_MS = 1e-6;

/** The rate of a process's clock, and the time that it shows at the start. */
export interface ClockRate {
  rate: number;
  offset: number;
}

/**
 * An operating system process with its own clock and an event loop that can be stopped. While it is stopped, its timers and its input wait.
 * When it continues, all of them run, in an order that a real event loop could choose.
 */
export class Process {
  readonly clock: Clock;
  readonly #timeline: Timeline;
  readonly #random: Random;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #input: (() => void)[] = [];
  #timers: (() => void)[] = [];
  /** The process is in a call that does not return until this true time. */
  #busyUntil = Number.NEGATIVE_INFINITY;
  /** The true time at which the process last continued after a stop. */
  wokeAt = Number.NEGATIVE_INFINITY;

  constructor(timeline: Timeline, random: Random, { rate, offset }: ClockRate) {
    this.#timeline = timeline;
    this.#random = random;
    this.clock = {
      now: () => offset + rate * this.at,
      at: (atMs, callback) => this.#timer((atMs - offset) / rate + ROUNDING_MS, callback),
    };
  }

  /** The true time of the process. During a call that keeps it busy, it is ahead of the timeline. */
  get at(): number {
    return Math.max(this.#timeline.now, this.#busyUntil);
  }

  /** Computes for this long without reading input. */
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

  /** Delivers input now, or when the process continues. */
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
