import type { KeepingStream, StoredCopy, StoreOutcome } from '../../ports/keeping-stream.js';

/** Limit of ids tried for one message. */
const MAX_IDS = 16;

/**
 * Stores a message once, however often this is called. The stream remembers an id for longer than the message, so a
 * duplicate may refer to a deleted or another message. It is read, and if it is not this message, the message is stored
 * under another id, derived from the first, so that a later attempt finds it.
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
