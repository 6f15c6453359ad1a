import type { Coverage } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';

/** The last handled sequence of a partition, with the times that identify the stream. */
export class HandledMark {
  #sequence: number;
  /** When the stream was created, and when it stored the last handled message. */
  #created: number | undefined;
  #stored: number | undefined;
  #message: StreamMessage | undefined;

  /** @param sequence everything up to this sequence is handled. `mark` contains the times that identify the stream. */
  constructor(sequence: number, mark: PositionMark) {
    this.#sequence = sequence;
    this.#created = mark.created;
    this.#stored = mark.stored;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get mark(): PositionMark {
    const stored = this.#message ? Math.floor(this.#message.timestampMs) : this.#stored;
    return { sequence: this.#sequence, created: this.#created, stored };
  }

  /** Sets the creation time of the stream that is handled from now on. */
  madeOn(created: number | undefined): void {
    this.#created = created;
  }

  /** Records that an earlier runner has handled everything up to this sequence. */
  resumedAt(sequence: number): void {
    this.#sequence = sequence;
  }

  /** Records that everything up to this message is handled. */
  handled(message: StreamMessage): void {
    // The message was in flight when the stream dropped it, so it already counts as lost.
    if (message.sequence <= this.#sequence) return;
    this.#message = message;
    this.#sequence = message.sequence;
  }

  /** Records that the partition has no message between the last handled message and this sequence. */
  covered({ sequence, storedMs }: Coverage): void {
    this.#message = undefined;
    this.#stored = storedMs;
    this.#sequence = sequence;
  }

  /**
   * Records that everything up to this sequence is committed. Then no longer keeps the last message, which can be part of a large buffer.
   */
  committed(sequence: number): void {
    if (this.#sequence !== sequence) return;
    this.#stored = this.mark.stored;
    this.#message = undefined;
  }
}
