import type { KeepingStream, StoredCopy, StoreOutcome } from '../../ports/keeping-stream.js';

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
