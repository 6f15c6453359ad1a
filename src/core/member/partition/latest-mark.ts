import type { Coverage } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';

/** The last received or handled sequence of a partition, with the times that identify the stream. */
export class LatestMark {
  #sequence: number;
  /** When the stream was created, and when it stored the last message. */
  #created: number | undefined;
  #stored: number | undefined;
  /** The last message, until its time is needed. Reading the time of each message would be slow. */
  #message: StreamMessage | undefined;

  /** @param sequence everything up to this sequence is passed. `mark` contains the times that identify the stream. */
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

  /** Sets the creation time of the stream that is read from now on. */
  madeOn(created: number | undefined): void {
    this.#created = created;
  }

  /** Records that an earlier runner has handled everything up to this sequence. */
  resumedAt(sequence: number): void {
    this.#sequence = sequence;
  }

  /** Records that everything up to this message is received, or handled. */
  passed(message: StreamMessage): void {
    // The message was in flight when the stream dropped it, so it already counts as lost.
    if (message.sequence <= this.#sequence) return;
    this.#message = message;
    this.#sequence = message.sequence;
  }

  /** Records that the partition has no message between the last message and this sequence. */
  covered({ sequence, storedMs }: Coverage): void {
    this.#message = undefined;
    this.#stored = storedMs;
    this.#sequence = sequence;
  }

  /** Reads the time of the last message, and releases the message. It can be part of a large buffer. */
  releaseMessage(): void {
    this.#stored = this.mark.stored;
    this.#message = undefined;
  }
}
