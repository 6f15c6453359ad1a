import type { Trimmed } from '../../../src/core/ports/index.js';
import type { Stored } from '../model/log.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';

/** What a stream drops so soon after it has stored it, its reader may not know of: see SPEC.md. */
const YOUNG_MS = 1_000;

/** Judges that members tell what their stream has dropped before it was handled, where they can know. */
export class Drops {
  readonly #judge: Judge;
  readonly #ledger: Ledger;
  readonly #isShared: boolean;
  /** What has to be told of, with the epoch of its partition then. */
  readonly #dropped: { message: Stored; epoch: number }[] = [];
  readonly #told = new Map<number, Trimmed[]>();

  /** `isShared`: readers of all partitions cannot tell whose message it was: any member's word for any partition counts. */
  constructor(judge: Judge, ledger: Ledger, isShared: boolean) {
    this.#isShared = isShared;
    this.#judge = judge;
    this.#ledger = ledger;
  }

  /** `isOldest`: the stream holds nothing older, of any partition. In its middle, a new reader cannot tell whose it was. */
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

  /** At the end. An owner that was another soon after may have been gone before it looked. */
  judge(): void {
    for (const { message, epoch } of this.#dropped) {
      const { partition, sequence, done } = message;
      if (done || this.#ledger.lease(partition).revision !== epoch) continue;
      const told = this.#told.get(this.#isShared ? 0 : partition) ?? [];
      if (!told.some(({ from, to }) => from <= sequence && sequence <= to))
        this.#judge.violate('I2', `nobody has told that message ${sequence} of p${partition} was dropped`);
    }
  }
}
