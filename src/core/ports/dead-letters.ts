import type { FoundLetter } from '../protocol/dead-letter.js';
import type { Original } from '../protocol/dead-letter-original.js';
import type { StoreOutcome } from './keeping-stream.js';

/** The dead letters of a stream. */
export interface DeadLetterStore {
  /** All that are there now, oldest first. `foreign` hears of what is no dead letter of this stream. */
  letters(foreign: (sequence: number) => void): AsyncIterable<FoundLetter>;
  /** The message of a letter as it came; undefined: a part of it is not there any more. */
  original(letter: FoundLetter): Promise<Original | undefined>;
  /** Deletes one; one that is not there is a success. */
  remove(sequence: number): Promise<void>;
}

/** The stream that the letters came from. */
export interface RedriveTarget {
  /** Stores a message in a partition once, however often it is sent under this id. */
  store(partition: number, message: Original, id: string): Promise<StoreOutcome>;
}
