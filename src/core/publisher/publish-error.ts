import { NatspocError } from '../lib/errors.js';
import type { PublishFailure } from './types.js';

/** The reason why `publish` failed, and whether the message may be in the stream nevertheless. */
export class PublishError extends NatspocError {
  /** `no`: certainly not stored. `unknown`: no answer in time, so it may be stored. */
  readonly stored: 'no' | 'unknown';

  constructor({ error, outcome }: PublishFailure) {
    super(error.code, error.message, { cause: error.cause });
    this.stored = outcome === 'rejected' ? 'no' : 'unknown';
  }
}
