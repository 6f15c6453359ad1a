import type { Dealt } from '../../config/retry.js';
import type { Handler, InBatches } from './handler.js';
import { refusing } from './refusing.js';

type GivenUp = Exclude<Dealt, 'handled'>;

/**
 * Messages that an operator has skipped and that this member has not settled yet, by sequence. Skipped messages are not tried again.
 */
export class GiveUps {
  readonly #known = new Map<number, { partition: number; how: GivenUp; error: Error }>();

  /** @param reason text with the operator's name and the last error of the message. */
  add(partition: number, sequence: number, how: GivenUp, reason: string): void {
    this.#known.set(sequence, { partition, how, error: new Error(reason) });
  }

  /**
   * Forgets the messages of a partition when a new epoch begins. After the stream was created again, the same sequences belong to other
   * messages.
   */
  forget(partition: number): void {
    for (const [sequence, known] of this.#known)
      if (known.partition === partition) this.#known.delete(sequence);
  }

  /** How an operator skipped a message; undefined if no operator skipped it. */
  howOf(sequence: number): GivenUp | undefined {
    return this.#known.get(sequence)?.how;
  }

  /** The message is settled. */
  settled(sequence: number): void {
    this.#known.delete(sequence);
  }

  /** Wraps a handler so that skipped messages fail without a call. */
  guard(handler: Handler | InBatches): Handler | InBatches {
    const known = this.#known;
    return refusing(handler, ({ sequence }) => (known.size === 0 ? undefined : known.get(sequence)?.error));
  }
}
