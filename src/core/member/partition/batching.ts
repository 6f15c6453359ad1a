import type { BatchLimits } from '../../config/batch.js';
import type { NextStep } from '../../config/retry.js';
import type { Cancel, Clock } from '../../lib/clock.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { Entry, KeyQueues } from './key-queues.js';

/**
 * True if the messages of a failed batch are tried one at a time. The batch is not retried as a whole, and no message is known to have
 * failed.
 */
export const areTriedAlone = (messages: number, isOneKnown: boolean, next: NextStep['kind']): boolean =>
  messages > 1 && !isOneKnown && next !== 'retry';

/**
 * Decides which messages of a partition form the next batch. A batch is due when it is full, or when its oldest message has waited long
 * enough.
 */
export class Batching {
  readonly #limits: BatchLimits;
  readonly #clock: Clock;
  readonly #ready: () => void;
  /** The total size of all messages that are not settled, in bytes. */
  #bytes = 0;
  /** Cancels the timer of the oldest message. Undefined if the oldest message need not wait. Even an incomplete batch is then due. */
  #cancel: Cancel | undefined;
  /** True if the oldest message has waited long enough, or was left over from the previous batch. */
  #isOver = false;
  /** Up to this sequence, each message is a batch of its own. */
  #singlyUpTo = 0;

  /** `ready` is called when a batch may be due. */
  constructor(limits: BatchLimits, clock: Clock, ready: () => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#ready = ready;
  }

  /** A message has arrived. */
  arrived({ size }: StreamMessage): void {
    this.#bytes += size;
    // The clock is read once per batch. For each message, it would cost as much as the rest of this method.
    if (!this.#isOver && !this.#cancel) this.#wait();
  }

  /** A message is settled. */
  settled({ size }: StreamMessage): void {
    this.#bytes -= size;
  }

  /** True if a batch may start now. */
  isDue(queues: KeyQueues): boolean {
    const first = queues.peek();
    if (!first) return false;
    return (
      queues.size >= this.#most(first) || this.#bytes >= this.#limits.bytes || this.#cancel === undefined
    );
  }

  /** The next batch, in order. */
  next(queues: KeyQueues): readonly Entry[] {
    const first = queues.peek();
    if (!first) return [];
    const most = this.#most(first);
    const batch = [first];
    let size = first.message.size;
    for (let next = first.behind; next && batch.length < most; next = next.behind) {
      size += next.message.size;
      if (size > this.#limits.bytes) break;
      batch.push(next);
    }
    return batch;
  }

  #most(first: Entry): number {
    return first.message.sequence <= this.#singlyUpTo ? 1 : this.#limits.messages;
  }

  /** Records that a batch has been taken. If `more` messages wait, they form the next batch without a further delay. */
  taken(more: boolean): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#isOver = more;
  }

  /** Makes each message of a failed batch a batch of its own. Single attempts then show which message fails. */
  isolate(batch: readonly Entry[]): void {
    this.#singlyUpTo = batch.at(-1)?.message.sequence ?? 0;
  }

  /** Ends the wait for a batch. */
  close(): void {
    this.#cancel?.();
  }

  #wait(): void {
    const { waitMs } = this.#limits;
    const over = (): void => {
      this.#cancel = undefined;
      this.#isOver = true;
    };
    if (waitMs === 0) over();
    else
      this.#cancel = this.#clock.at(this.#clock.now() + waitMs, () => {
        over();
        this.#ready();
      });
  }
}
