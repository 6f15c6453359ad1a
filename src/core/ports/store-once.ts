import type { NatspocError } from '../lib/errors.js';

/** A stored message, as far as it is compared. */
export interface StoredCopy {
  subject: string;
  headers: Readonly<Record<string, string>>;
  data: Uint8Array;
}

/** A stream to which messages are published one by one, and in which they are looked at. */
export interface KeepingStream {
  /** `duplicate`: the stream says that it has this id already, at that sequence. */
  publish(
    id: string,
  ): Promise<
    | { kind: 'stored'; sequence: number; duplicate: boolean }
    | { kind: 'unknown' }
    | { kind: 'failed'; error: NatspocError }
  >;
  /** `missing`: nothing is stored at that sequence (any more), or nobody may look. */
  read(
    sequence: number,
  ): Promise<{ kind: 'found'; message: StoredCopy } | { kind: 'missing' } | { kind: 'unknown' }>;
}

/** How storing ended. `unknown`: it may be stored; storing it again, under the same id, keeps one. */
export type StoreOutcome =
  | { kind: 'ok'; sequence: number }
  | { kind: 'unknown' }
  | { kind: 'failed'; error: NatspocError };

/** More ids than this of one message nobody has used. */
const MAX_IDS = 16;

/**
 * Stores a message once, however often this is called. The stream knows an id for longer than it keeps the message: what
 * it calls a duplicate may have been deleted since, or be somebody else's. So a duplicate is looked at, and where it is not
 * this message, the message is stored under another id, which follows from the first: whoever comes later finds it.
 *
 * @param isCopy whether a stored message is this one.
 */
export async function storeOnce(
  stream: KeepingStream,
  id: string,
  isCopy: (stored: StoredCopy) => boolean,
): Promise<StoreOutcome> {
  let current = id;
  for (let tries = 0; tries < MAX_IDS; tries++) {
    const outcome = await stream.publish(current);
    if (outcome.kind !== 'stored') return outcome;
    const { sequence } = outcome;
    if (!outcome.duplicate) return { kind: 'ok', sequence };
    const found = await stream.read(sequence);
    if (found.kind === 'unknown') return found;
    if (found.kind === 'found' && isCopy(found.message)) return { kind: 'ok', sequence };
    current = `${current}.${sequence}`;
  }
  return { kind: 'unknown' };
}
