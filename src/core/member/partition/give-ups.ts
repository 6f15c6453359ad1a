import type { Dealt } from '../../config/retry.js';
import type { Handler, InBatches } from './handler.js';
import { refusing } from './refusing.js';

/** An operator's order to give up a message. */
export interface GivenUp {
  readonly partition: number;
  readonly how: Exclude<Dealt, 'handled'>;
  /** The operator's name. */
  readonly by: string;
  /** Number of failed attempts before the order. */
  readonly attempts: number;
  /** The last error of the message. */
  readonly reason: string;
  /** True if the message had halted its partition. */
  readonly isHalted: boolean;
}

/**
 * Messages that an operator has skipped and that this member has not settled yet, by sequence. Skipped messages are not tried again.
 */
export class GiveUps {
  readonly #known = new Map<number, GivenUp & { readonly error: Error }>();

  /** Adds an order. Returns the error with which the message fails. */
  add(sequence: number, order: GivenUp): Error {
    const { by, attempts, reason } = order;
    const error = new Error(`given up by ${by} after attempt ${attempts}: ${reason}`);
    this.#known.set(sequence, { ...order, error });
    return error;
  }

  /**
   * Forgets the messages of a partition when a new epoch begins. After the stream was created again, the same sequences belong to other
   * messages.
   */
  forget(partition: number): void {
    for (const [sequence, known] of this.#known)
      if (known.partition === partition) this.#known.delete(sequence);
  }

  /** The order to give up a message; undefined if there is none. */
  of(sequence: number): GivenUp | undefined {
    return this.#known.get(sequence);
  }

  /** The message is settled, or the order failed. */
  settled(sequence: number): void {
    this.#known.delete(sequence);
  }

  /** Wraps a handler so that skipped messages fail without a call. */
  guard(handler: Handler | InBatches): Handler | InBatches {
    const known = this.#known;
    return refusing(handler, ({ sequence }) => (known.size === 0 ? undefined : known.get(sequence)?.error));
  }
}
