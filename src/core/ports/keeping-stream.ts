import type { NoAnswer } from './index.js';

/** A stored message, as far as it is compared. */
export interface StoredCopy {
  subject: string;
  headers: Readonly<Record<string, string>>;
  data: Uint8Array;
}

/** A stream to which messages are published one by one, and in which they are looked at. */
export interface KeepingStream {
  /** `duplicate`: the stream says that it has this id already, at that sequence. */
  publish(id: string): Promise<{ kind: 'stored'; sequence: number; duplicate: boolean } | NoAnswer>;
  /** `missing`: nothing is stored at that sequence (any more), or nobody may look. */
  read(
    sequence: number,
  ): Promise<{ kind: 'found'; message: StoredCopy } | { kind: 'missing' } | { kind: 'unknown' }>;
}

/** How storing ended. `unknown`: it may be stored; storing it again, under the same id, keeps one. */
export type StoreOutcome = { kind: 'ok'; sequence: number } | NoAnswer;
