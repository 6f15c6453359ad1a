import type { StreamAdmin } from '../../core/admin/stream-admin.js';
import { explain } from '../../core/nats/client/outcome.js';
import type { FoundLetter } from '../../core/protocol/dead-letter.js';
import type { Original } from '../../core/protocol/dead-letter-original.js';

/** A screen lists at most this many dead letters, the newest. */
const MOST_LETTERS = 500;

/** The dead letters of the shown stream. Failed calls reject with a NatspocError whose message is one line. */
export interface LetterBox {
  /** The newest letters, newest first. */
  list(): Promise<FoundLetter[]>;
  /** The message of a letter; undefined if a part of it is gone. */
  original(letter: FoundLetter): Promise<Original | undefined>;
  /** Deletes a letter for good. */
  drop(letter: FoundLetter): Promise<void>;
  /** Publishes the message of a letter again. Resolves with its new sequence, or with the reason why the letter was kept. */
  putBack(letter: FoundLetter): Promise<number | string>;
}

/** The dead letters of the stream that is open when a method is called. */
export class StreamLetters implements LetterBox {
  readonly #opened: () => Promise<StreamAdmin>;
  readonly #closing: AbortSignal;

  constructor(opened: () => Promise<StreamAdmin>, closing: AbortSignal) {
    this.#opened = opened;
    this.#closing = closing;
  }

  list(): Promise<FoundLetter[]> {
    return this.#act('read the dead letters', async (stream) => {
      const newest: FoundLetter[] = [];
      for await (const letter of stream.deadLetters()) {
        if (this.#closing.aborted) break;
        newest.push(letter);
        if (newest.length > MOST_LETTERS) newest.shift();
      }
      return newest.reverse();
    });
  }

  original(letter: FoundLetter): Promise<Original | undefined> {
    return this.#act(`read dead letter ${letter.sequence}`, (stream) => stream.originalOf(letter));
  }

  drop(letter: FoundLetter): Promise<void> {
    return this.#act(`drop dead letter ${letter.sequence}`, (stream) => stream.dropDeadLetter(letter));
  }

  putBack(letter: FoundLetter): Promise<number | string> {
    return this.#act(`put dead letter ${letter.sequence} back`, async (stream) => {
      let outcome: number | string = 'it no longer exists';
      await stream.redrive({
        only: new Set([letter.sequence]),
        count: 1,
        signal: this.#closing,
        onRedriven: (_, sequence) => {
          outcome = sequence;
        },
        onKept: (_, reason) => {
          outcome = reason;
        },
      });
      return outcome;
    });
  }

  async #act<T>(doing: string, act: (stream: StreamAdmin) => Promise<T>): Promise<T> {
    try {
      return await act(await this.#opened());
    } catch (error) {
      throw explain(error, doing);
    }
  }
}
