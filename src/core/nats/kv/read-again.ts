import { ErrorCode, NatsError } from 'nats';
import { NatspocError } from '../../lib/errors.js';
import { type Unanswered, unanswered } from '../../lib/unanswered.js';
import type { Bucket } from '../../ports/index.js';
import type { BucketEntry } from '../../protocol/entries.js';
import { askAgain } from '../client/ask-again.js';

/**
 * Reads an entry. Without an answer, for example during the election of a leader, the read is repeated.
 *
 * @param what what is read, for the error: "Could not read …".
 * @param patienceMs how long to wait for an answer.
 * @returns undefined if there is no entry.
 * @throws NatspocError `unreachable` if the server does not answer, or if the connection is closed; the errors of the
 *   bucket.
 */
export async function readAgain(
  bucket: Bucket,
  key: string,
  what: string,
  patienceMs: number,
): Promise<BucketEntry | undefined> {
  let last: Unanswered = {};
  const read = async (): Promise<BucketEntry | undefined> => {
    const found = await bucket.read(key);
    if (found.kind === 'failed') throw found.error;
    last = found.kind === 'unknown' ? found : {};
    if (found.kind === 'unknown') throw found.closed ?? NatsError.errorForCode(ErrorCode.Timeout);
    return found.kind === 'found' ? found.entry : undefined;
  };
  try {
    return await askAgain(read, patienceMs);
  } catch (error) {
    throw error instanceof NatspocError ? error : unanswered(`read ${what}`, last);
  }
}
