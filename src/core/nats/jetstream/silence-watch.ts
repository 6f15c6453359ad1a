import type { Cancel, Clock } from '../../lib/clock.js';

/** A server counts as silent after this number of heartbeat intervals without a message. */
const MISSING = 2.5;

/** The state that a silence watch reads, and the event that it reports. */
export interface SilenceWatchEvents {
  /** True while the server owes an answer. */
  isWaiting(): boolean;
  /** The server has sent nothing for two and a half heartbeat intervals, although it owes an answer. */
  silent(): void;
}

/** Detects a server that sends nothing, not even heartbeats. A time in which this process was stopped does not count. */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #events: SilenceWatchEvents;
  #heardAt: number;
  #dueAt: number;
  #heard = false;
  #cancel: Cancel;

  /** @param everyMs the server's interval of heartbeats. */
  constructor(clock: Clock, everyMs: number, events: SilenceWatchEvents) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#events = events;
    this.#heardAt = clock.now();
    this.#dueAt = this.#heardAt + everyMs;
    this.#cancel = clock.at(this.#dueAt, () => this.#look());
  }

  /** The server has sent something. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const now = this.#clock.now();
    // A late timer means that this process was stopped, so messages that arrived during the stop are still unread.
    const isLate = now - this.#dueAt > this.#everyMs / 2;
    this.#dueAt = now + this.#everyMs;
    this.#cancel = this.#clock.at(this.#dueAt, () => this.#look());
    if (this.#heard || !this.#events.isWaiting()) this.#heardAt = now;
    this.#heard = false;
    if (isLate) this.#heardAt = Math.max(this.#heardAt, now - this.#everyMs);
    else if (now - this.#heardAt > MISSING * this.#everyMs) this.#events.silent();
  }
}
