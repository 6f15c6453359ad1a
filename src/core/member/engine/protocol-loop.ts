import type { Cancel, Clock } from '../../lib/clock.js';
import type { Effect, GroupEvent } from '../../protocol/events.js';
import type { State } from '../../protocol/state.js';
import { step } from '../../protocol/step.js';
import type { EventWithoutNow } from './bucket-effects.js';

/** The functions that execute effects, by type. */
export type Performers = { readonly [T in Effect['type']]: (effect: Extract<Effect, { type: T }>) => void };

/**
 * Runs the protocol of a member, one event at a time. If an effect causes an event, that event waits until all effects of the current event
 * are executed.
 */
export class ProtocolLoop {
  readonly state: State;
  readonly #clock: Clock;
  readonly #perform: Performers;
  readonly #queue: GroupEvent[] = [];
  #isStepping = false;
  #hasEnded = false;
  #cancelWake: Cancel | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(state: State, clock: Clock, perform: Performers) {
    this.state = state;
    this.#clock = clock;
    this.#perform = perform;
  }

  /** Processes an event that happens now. */
  feed(event: EventWithoutNow): void {
    if (this.#hasEnded) return;
    this.#queue.push({ ...event, now: this.#clock.now() });
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#queue.shift(); next && !this.#hasEnded; next = this.#queue.shift()) {
      for (const effect of step(this.state, next))
        (this.#perform[effect.type] as (effect: Effect) => void)(effect);
    }
    this.#isStepping = false;
  }

  /** Feeds the next `tick` at this time. */
  wake(at: number): void {
    if (at === this.#wakeAt) return;
    this.#cancelWake?.();
    this.#wakeAt = at;
    this.#cancelWake = this.#clock.at(at, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.feed({ type: 'tick' });
    });
  }

  /** Stops the processing of events. */
  end(): void {
    this.#hasEnded = true;
    this.#cancelWake?.();
  }
}
