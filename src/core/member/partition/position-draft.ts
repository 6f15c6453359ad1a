import type { Crashes } from '../../protocol/crashes.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import { CrashNote } from './crash-note.js';
import { LatestMark } from './latest-mark.js';
import type { PositionState } from './position-writer.js';

/** The position from which an owner continues. */
export interface PositionTaken {
  sequence: number;
  trimmed?: number;
  crashes?: Crashes;
  /** The deaths that the position still records after it has moved. */
  carried?: Crashes;
  /** The last handled position. */
  mark: PositionMark;
}

/** What the next write of a position records, and what the last write recorded. */
export class PositionDraft {
  readonly handled: LatestMark;
  readonly crashes: CrashNote;
  /** The number of messages handled since the last write. */
  messages = 0;
  /** How many messages the stream dropped. */
  trimmed: number;
  #committed: number;
  /** How many dropped messages the position already records. */
  #trimmedKept: number;
  readonly #resumed: number;

  constructor({ sequence, mark, trimmed = 0, crashes = {}, carried = {} }: PositionTaken) {
    this.handled = new LatestMark(sequence, mark);
    this.crashes = new CrashNote(crashes, carried, sequence);
    this.trimmed = trimmed;
    this.#committed = sequence;
    this.#trimmedKept = trimmed;
    this.#resumed = mark.sequence;
  }

  /** The last committed stream sequence. */
  get committed(): number {
    return this.#committed;
  }

  /** Number of dropped messages that the position does not record yet. */
  get uncounted(): number {
    return this.trimmed - this.#trimmedKept;
  }

  /** True if there is anything to write. */
  get isAhead(): boolean {
    return this.handled.sequence > this.#committed || this.uncounted > 0 || this.crashes.isStale;
  }

  /** The fields of the next write. */
  get state(): PositionState {
    const { sequence, created, stored } = this.handled.mark;
    return {
      seq: sequence,
      created,
      stored,
      ...(this.trimmed > 0 && { trimmed: this.trimmed }),
      ...this.crashes.fieldsAt(sequence),
    };
  }

  /** Counts messages as handled that an earlier runner of this epoch had handled but not committed. */
  resume(): void {
    this.handled.resumedAt(this.#resumed);
  }

  /** A write has succeeded; `messages` were handled before it. */
  written({ seq, trimmed = 0 }: PositionState, messages: number): void {
    this.#trimmedKept = trimmed;
    this.#committed = seq;
    this.messages -= messages;
    if (this.handled.sequence === seq) this.handled.releaseMessage();
  }
}
