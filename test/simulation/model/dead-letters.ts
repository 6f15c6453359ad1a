import type { DeadLetter, DeadLetters } from '../../../src/core/ports.js';
import type { Connection } from './connection.js';
import type { Random } from './random.js';
import { request } from './request.js';

const TIMEOUT_MS = 2_000;

/** Where one member's dead letters go; each may get lost on its way, or its answer. */
export class SimDeadLetters implements DeadLetters {
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #stored: (sequence: number) => void;

  /** `stored` hears of each letter that is safe. */
  constructor(connection: Connection, random: Random, stored: (sequence: number) => void) {
    this.#connection = connection;
    this.#random = random;
    this.#stored = stored;
  }

  store({ message }: DeadLetter): ReturnType<DeadLetters['store']> {
    const { sequence } = message;
    return request<Awaited<ReturnType<DeadLetters['store']>>>(
      this.#connection,
      TIMEOUT_MS,
      (_side, answer) => {
        if (this.#random.chance(0.3)) return;
        this.#stored(sequence);
        if (!this.#random.chance(0.1)) answer({ kind: 'ok' });
      },
      { kind: 'unknown' },
    );
  }
}
