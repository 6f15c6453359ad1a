import type { Cancel, Clock } from '../../lib/clock.js';

/** After this number of heartbeat intervals without a message, a server counts as silent. */
const MISSING = 2.5;

/** What a silence watch reads and reports. */
export interface SilenceWatchEvents {
  /** True while the server owes an answer. */
  isWaiting(): boolean;
  silent(): void;
}

/** Detects a server that sends nothing, not even heartbeats. A pause of this process does not count. */
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

  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const now = this.#clock.now();
    // A late timer shows that this process was paused. Messages that arrived in the meantime are still unread.
    const isLate = now - this.#dueAt > this.#everyMs / 2;
    this.#dueAt = now + this.#everyMs;
    this.#cancel = this.#clock.at(this.#dueAt, () => this.#look());
    if (this.#heard || !this.#events.isWaiting()) this.#heardAt = now;
    this.#heard = false;
    if (isLate) this.#heardAt = Math.max(this.#heardAt, now - this.#everyMs);
    else if (now - this.#heardAt > MISSING * this.#everyMs) this.#events.silent();
  }
}
