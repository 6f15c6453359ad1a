import { storeOnce } from '../../../src/core/nats/jetstream/store-once.js';
import type { DeadLetters } from '../../../src/core/ports/index.js';
import type { KeepingStream, StoredCopy } from '../../../src/core/ports/keeping-stream.js';
import type { DeadLetter } from '../../../src/core/protocol/message.js';
import type { Connection } from './connection.js';
import type { Random } from './random.js';
import { request } from './request.js';

const TIMEOUT_MS = 2_000;
/** A letter, or the answer to it, is lost at most this often. */
const MOST_LOST = 2;
const utf8 = new TextDecoder();

/** The stream of dead letters. It knows the ids of all letters, also of deleted ones. */
export class DeadStream {
  readonly #held = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  /** Stores a letter unless its id is known. `used` means that a letter with this id was stored and deleted before. */
  publish(id: string, letter: string, used: boolean): { sequence: number; duplicate: boolean } {
    const known = this.#ids.get(id);
    const sequence = known ?? this.#ids.size + 1;
    this.#ids.set(id, sequence);
    if (known === undefined && !used) this.#held.set(sequence, letter);
    return { sequence, duplicate: known !== undefined || used };
  }

  letter(sequence: number): string | undefined {
    return this.#held.get(sequence);
  }

  holds(letter: string): boolean {
    return [...this.#held.values()].includes(letter);
  }
}

/** The dead letters of one member. A letter or its answer can be lost. Its id may have been used before. */
export class SimDeadLetters implements DeadLetters {
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #dead: DeadStream;
  readonly #stored: (sequence: number) => void;
  readonly #lost = new Map<number, number>();

  /** @param stored is called for each letter that the member knows to be stored. */
  constructor(connection: Connection, random: Random, dead: DeadStream, stored: (sequence: number) => void) {
    this.#connection = connection;
    this.#random = random;
    this.#dead = dead;
    this.#stored = stored;
  }

  async store({ message }: DeadLetter): ReturnType<DeadLetters['store']> {
    const letter = String(message.sequence);
    const outcome = await storeOnce(
      this.#stream(message.sequence),
      letter,
      ({ data }) => utf8.decode(data) === letter,
    );
    // Until the member knows that the letter is stored, it may try the message again.
    if (outcome.kind === 'ok' && this.#dead.holds(letter)) this.#stored(message.sequence);
    return outcome;
  }

  /** A group can come to rest only after the letter is stored. So the losses of one letter are limited. */
  #isLost(letter: number, chance: number): boolean {
    const before = this.#lost.get(letter) ?? 0;
    const isLost = this.#random.chance(chance) && before < MOST_LOST;
    if (isLost) this.#lost.set(letter, before + 1);
    return isLost;
  }

  #stream(from: number): KeepingStream {
    return {
      publish: (id) =>
        this.#ask<Awaited<ReturnType<KeepingStream['publish']>>>((answer) => {
          if (this.#isLost(from, 0.3)) return;
          // Each further id takes another request and answer. So used ids rarely follow each other.
          const used = id === String(from) ? 0.6 : 0.2;
          const { sequence, duplicate } = this.#dead.publish(id, String(from), this.#random.chance(used));
          if (this.#isLost(from, 0.1)) return;
          answer({ kind: 'stored', sequence, duplicate });
        }),
      read: (sequence) =>
        this.#ask<Awaited<ReturnType<KeepingStream['read']>>>((answer) => {
          const letter = this.#dead.letter(sequence);
          answer(letter === undefined ? { kind: 'missing' } : { kind: 'found', message: asStored(letter) });
        }),
    };
  }

  #ask<T>(
    atServer: (answer: (value: T | { kind: 'unknown' }) => void) => void,
  ): Promise<T | { kind: 'unknown' }> {
    return request<T | { kind: 'unknown' }>(
      this.#connection,
      TIMEOUT_MS,
      (_side, answer) => atServer(answer),
      { kind: 'unknown' },
    );
  }
}

const asStored = (letter: string): StoredCopy => ({
  subject: '',
  headers: {},
  data: new TextEncoder().encode(letter),
});
