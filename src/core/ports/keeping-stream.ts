import type { NoAnswer } from './no-answer.js';

/** The parts of a stored message that identify a copy. */
export interface StoredCopy {
  subject: string;
  headers: Readonly<Record<string, string>>;
  data: Uint8Array;
}

/** A stream whose messages are published and read one by one. */
export interface KeepingStream {
  /** `duplicate`: the stream already had a message with this id, at the returned sequence. */
  publish(id: string): Promise<{ kind: 'stored'; sequence: number; duplicate: boolean } | NoAnswer>;
  /** `missing`: no message has this sequence (any more), or reading is not permitted. */
  read(
    sequence: number,
  ): Promise<{ kind: 'found'; message: StoredCopy } | { kind: 'missing' } | { kind: 'unknown' }>;
}

/** The outcome of storing. `unknown`: the message may be stored. A repetition under the same id keeps one copy. */
export type StoreOutcome = { kind: 'ok'; sequence: number } | NoAnswer;
