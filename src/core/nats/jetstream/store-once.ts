import type { KeepingStream, StoredCopy, StoreOutcome } from '../../ports/keeping-stream.js';

/** Maximum number of ids that are tried for one message. */
const MAX_IDS = 16;

/**
 * Stores a message once, however often this function is called. If the server reports a duplicate, the stored message is
 * read, because another message may have used the same id. If the stored message is not a copy, the new message is
 * stored under another id. That id is derived from the first id, so that a later call finds the copy.
 *
 * @param isCopy returns true for a stored copy of the message.
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
