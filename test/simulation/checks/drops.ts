import type { Trimmed } from '../../../src/core/ports/index.js';
import type { Stored } from '../model/log.js';
import type { Judge } from './judge.js';

/** The loss of a message may go unnoticed if the message is dropped within this time after it was stored: see SPEC.md. */
const YOUNG_MS = 1_000;
/** The number of lost messages of a partition that may be hidden by messages stored later. */
const HIDDEN = 10;

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
    const { from, to, atMost } = trimmed;
    this.#judge.note(
      `at most ${atMost} messages of p${partition} are reported as lost, from ${from} to ${to}`,
    );
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
    const lost = new Map<number, number>();
    for (const { partition, sequence, done } of this.#dropped) {
      if (done) continue;
      const about = this.#isShared ? 0 : partition;
      lost.set(about, (lost.get(about) ?? 0) + 1);
      const told = this.#told.get(about) ?? [];
      if (!told.some(({ from, to }) => from <= sequence && sequence <= to))
        this.#judge.violate('I2', `no member reported that message ${sequence} of p${partition} was dropped`);
    }
    for (const [about, messages] of lost) {
      const atMost = (this.#told.get(about) ?? []).reduce((sum, told) => sum + told.atMost, 0);
      // Messages that are stored between two counts hide as many lost messages (SPEC.md), but few of them.
      if (2 * atMost < messages - HIDDEN)
        this.#judge.violate(
          'I2',
          `members reported at most ${atMost} lost messages of ${this.#isShared ? 'all partitions' : `p${about}`}, but ${messages} were lost`,
        );
    }
  }
}
