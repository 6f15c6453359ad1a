import { setImmediate as turn } from 'node:timers/promises';
import { NatspocError } from '../lib/errors.js';
import type { Timeline } from './timeline.js';

/** A wait fails if handlers run for this long in real time, in milliseconds. */
const PATIENCE_MS = 10_000;
/** Turns of the event loop before time passes. The callbacks of handlers run first. */
const TURNS_BEFORE_TIME = 2;

/** Lets virtual time pass. One event runs per turn of the event loop, as in a real process. */
export class LocalDriver {
  readonly #timeline: Timeline;
  readonly #calls = new Set<{ readonly process: object }>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** To be called when a handler starts. The returned function is to be called when the handler ends. */
  started(process: object): () => void {
    const call = { process };
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** Forgets the running handlers of this process. */
  ended(process: object): void {
    for (const call of this.#calls) if (call.process === process) this.#calls.delete(call);
  }

  /** Lets exactly this time pass, even while handlers run. */
  async advance(byMs: number): Promise<void> {
    const until = this.#timeline.now + byMs;
    await this.#settle();
    for (let run = this.#timeline.next(until); run; run = this.#timeline.next(until)) {
      run();
      await this.#settle();
    }
    this.#timeline.now = until;
    await this.#settle();
  }

  /**
   * Lets time pass until the condition holds. No time passes while handlers run.
   *
   * @throws NatspocError `failed` after `withinMs` of virtual time, or if handlers run for 10 s of real time.
   */
  async until(what: string, condition: () => boolean, withinMs: number): Promise<void> {
    const until = this.#timeline.now + withinMs;
    for (;;) {
      await this.#settle();
      if (condition()) return;
      if (this.#calls.size > 0) await this.#rest(what, condition);
      else {
        const run = this.#timeline.next(until);
        if (!run)
          throw new NatspocError('failed', `${what} did not finish within ${withinMs} ms of virtual time.`);
        run();
      }
    }
  }

  async through<T>(what: string, promise: Promise<T>, withinMs: number): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.until(what, () => isSettled, withinMs);
    return promise;
  }

  /** Waits in real time until no handler runs. */
  async #rest(what: string, condition: () => boolean): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (this.#calls.size > 0 && !condition()) {
      if (performance.now() > giveUpAt)
        throw new NatspocError(
          'failed',
          `${what} cannot continue: a handler has been running for ${PATIENCE_MS} ms.`,
        );
      await turn();
    }
  }

  async #settle(): Promise<void> {
    for (let i = 0; i < TURNS_BEFORE_TIME; i++) await turn();
  }
}
