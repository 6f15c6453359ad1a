import type { Clock } from '../lib/clock.js';
import type { Break } from '../ports/index.js';
import type { Outcomes } from './outcomes.js';

/** Reports each break of the connection, and its end, once. */
export class Breaks {
  readonly #outcomes: Pick<Outcomes, 'disconnected' | 'reconnected'>;
  readonly #clock: Clock;
  #brokenAt: number | undefined;

  constructor(outcomes: Pick<Outcomes, 'disconnected' | 'reconnected'>, clock: Clock) {
    this.#outcomes = outcomes;
    this.#clock = clock;
  }

  broke(about: Break = { server: null, reason: null }): void {
    if (this.#brokenAt !== undefined) return;
    this.#brokenAt = this.#clock.now();
    this.#outcomes.disconnected(about);
  }

  /** Reports that the connection is back. `server` is null if unknown. */
  ended(server: string | null = null): void {
    if (this.#brokenAt === undefined) return;
    this.#outcomes.reconnected(server, this.#clock.now() - this.#brokenAt);
    this.#brokenAt = undefined;
  }
}
