import type { FoundLetter } from '../protocol/dead-letter.js';
import type { Original } from '../protocol/dead-letter-original.js';
import type { DeadLetter } from '../protocol/message.js';
import type { StoreOutcome } from './keeping-stream.js';
import type { NoAnswer } from './no-answer.js';

/** Stores dead letters. After `unknown`, the letter is stored again. The stream keeps only one copy. */
export interface DeadLetters {
  store(letter: DeadLetter): Promise<{ kind: 'ok' } | NoAnswer>;
}

/** The dead letters of a stream. */
export interface DeadLetterStore {
  /** All current letters, oldest first. `foreign` receives the sequence of any other message. */
  letters(foreign: (sequence: number) => void): AsyncIterable<FoundLetter>;
  /** The original message of a letter; undefined if a part of the message no longer exists. */
  original(letter: FoundLetter): Promise<Original | undefined>;
  /** Deletes a letter. Also succeeds if the letter does not exist. */
  remove(sequence: number): Promise<void>;
}

/** The letters' original stream, which receives them again. */
export interface RedriveTarget {
  /** Stores a message under its original partition and subject. Repeated calls with the same id store it only once. */
  store(place: { partition: number; subject: string }, message: Original, id: string): Promise<StoreOutcome>;
}
