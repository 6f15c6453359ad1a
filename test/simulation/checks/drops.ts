import type { Trimmed } from '../../../src/core/ports/index.js';
import type { Stored } from '../model/log.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';

/** A reader may not know of messages that are dropped within this time after they are stored: see SPEC.md. */
const YOUNG_MS = 1_000;

/** Judges that members report messages that the stream dropped before they were handled, if they can know. */
export class Drops {
  readonly #judge: Judge;
  readonly #ledger: Ledger;
  readonly #isShared: boolean;
  /** Dropped messages that must be reported, with the epoch of their partition at that time. */
  readonly #dropped: { message: Stored; epoch: number }[] = [];
  readonly #told = new Map<number, Trimmed[]>();

  /** @param isShared shared readers cannot attribute a loss to a partition, so any member's report for any partition counts. */
  constructor(judge: Judge, ledger: Ledger, isShared: boolean) {
    this.#isShared = isShared;
    this.#judge = judge;
    this.#ledger = ledger;
  }

  /** `isOldest`: the stream has nothing older. For a loss in the middle, a new reader cannot tell the partition. */
  dropped(messages: readonly Stored[], isOldest: boolean): void {
    if (!isOldest) return;
    for (const message of messages) {
      if (message.done || this.#judge.now - message.at < YOUNG_MS) continue;
      this.#dropped.push({ message, epoch: this.#ledger.lease(message.partition).revision });
    }
  }

  told(partition: number, trimmed: Trimmed): void {
    const about = this.#isShared ? 0 : partition;
    const told = this.#told.get(about) ?? [];
    told.push(trimmed);
    this.#told.set(about, told);
  }

  /** The final judgement. An owner that was replaced soon after may have been gone before it checked. */
  judge(): void {
    for (const { message, epoch } of this.#dropped) {
      const { partition, sequence, done } = message;
      if (done || this.#ledger.lease(partition).revision !== epoch) continue;
      const told = this.#told.get(this.#isShared ? 0 : partition) ?? [];
      if (!told.some(({ from, to }) => from <= sequence && sequence <= to))
        this.#judge.violate('I2', `no member reported that message ${sequence} of p${partition} was dropped`);
    }
  }
}
