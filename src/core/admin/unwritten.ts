import { NatspocError } from '../lib/errors.js';

/**
 * Why an entry of the bucket could not be written.
 *
 * @param refusal what the server said, such as that the bucket or its account is full; undefined: it did not answer.
 */
export function unwritten(key: string, refusal: string | undefined): NatspocError {
  return refusal === undefined
    ? new NatspocError('unreachable', `Could not write ${key}: the server did not answer in time.`)
    : new NatspocError('storage-failed', `Could not write ${key}: ${refusal}.`);
}
