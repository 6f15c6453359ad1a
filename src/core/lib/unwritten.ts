import { NatspocError } from './errors.js';

/**
 * The error for an entry of the bucket that could not be written.
 *
 * @param refusal the server's reason, for example a full bucket or account; undefined if the server did not answer.
 */
export function unwritten(key: string, refusal: string | undefined): NatspocError {
  return refusal === undefined
    ? new NatspocError('unreachable', `Could not write ${key}: the server did not answer in time.`)
    : new NatspocError('storage-failed', `Could not write ${key}: ${refusal}.`);
}
