import type { Trimmed } from '../../../src/core/ports/index.js';
import type { Stored } from '../model/log.js';
import type { Judge } from './judge.js';

/** A loss can go unnoticed if the message was dropped within this time after it was stored (SPEC.md). */
const YOUNG_MS = 1_000;
/** How many lost messages of a partition can be hidden by messages that are stored later. */
const HIDDEN = 10;

/**
 * Judges reports of losses. If the stream drops messages before they are handled, members must report it, as far as they can know of it.
 */
export class Drops {
  readonly #judge: Judge;
  readonly #isShared: boolean;
  readonly #mayLose: () => boolean;
  /** Dropped messages that must be reported. */
  readonly #dropped: Stored[] = [];
  readonly #told = new Map<number, Trimmed[]>();

  /**
   * @param isShared with shared readers, any member's report for any partition counts. Shared readers cannot attribute a loss to a
   *   partition.
   * @param mayLose false if every message was committed before the stream dropped it, and no position was lost.
   */
  constructor(judge: Judge, isShared: boolean, mayLose: () => boolean) {
    this.#isShared = isShared;
    this.#mayLose = mayLose;
    this.#judge = judge;
  }

  /**
   * Records that the stream dropped messages. `isOldest` means that they were the oldest ones. After a loss in the middle of the stream, a
   * new reader cannot know the lost messages' partition.
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
      // Messages that are stored between two counts hide as many lost messages (SPEC.md). That can only be few.
      if (2 * atMost < messages - HIDDEN)
        this.#judge.violate(
          'I2',
          `members reported at most ${atMost} lost messages of ${this.#isShared ? 'all partitions' : `p${about}`}, but ${messages} were lost`,
        );
    }
  }
}
