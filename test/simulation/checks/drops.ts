import type { Trimmed } from '../../../src/core/ports/index.js';
import type { Stored } from '../model/log.js';
import type { Judge } from './judge.js';

/** The loss of a message may go unnoticed if the message is dropped within this time after it was stored: see SPEC.md. */
const YOUNG_MS = 1_000;

/**
 * Judges reports of losses: if the stream drops messages before they are handled, the members must report this, as far as they can know of
 * it.
 */
export class Drops {
  readonly #judge: Judge;
  readonly #isShared: boolean;
  readonly #mayLose: () => boolean;
  /** Dropped messages that must be reported. */
  readonly #dropped: Stored[] = [];
  readonly #told = new Map<number, Trimmed[]>();

  /**
   * @param isShared shared readers cannot attribute a loss to a partition, so any member's report for any partition counts.
   * @param mayLose false if every message was committed before the stream dropped it, and no position was lost.
   */
  constructor(judge: Judge, isShared: boolean, mayLose: () => boolean) {
    this.#isShared = isShared;
    this.#mayLose = mayLose;
    this.#judge = judge;
  }

  /**
   * Records that the stream dropped messages. `isOldest` means that no older messages are left in the stream. After a loss in the middle of
   * the stream, a new reader cannot know the partition of the lost messages.
   */
  dropped(messages: readonly Stored[], isOldest: boolean): void {
    if (!isOldest) return;
    for (const message of messages) {
      if (message.done || this.#judge.now - message.at < YOUNG_MS) continue;
      this.#dropped.push(message);
    }
  }

  told(partition: number, trimmed: Trimmed): void {
    const { from, to } = trimmed;
    if (!this.#mayLose())
      this.#judge.violate(
        'I2',
        `a member reports a loss of p${partition} from ${from} to ${to}, but nothing was lost`,
      );
    const about = this.#isShared ? 0 : partition;
    const told = this.#told.get(about) ?? [];
    told.push(trimmed);
    this.#told.set(about, told);
  }

  /** Judges at the end of the run. */
  judge(): void {
    for (const { partition, sequence, done } of this.#dropped) {
      if (done) continue;
      const told = this.#told.get(this.#isShared ? 0 : partition) ?? [];
      if (!told.some(({ from, to }) => from <= sequence && sequence <= to))
        this.#judge.violate('I2', `no member reported that message ${sequence} of p${partition} was dropped`);
    }
  }
}
