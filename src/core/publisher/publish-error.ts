import { NatspocError } from '../lib/errors.js';
import type { PublishFailure } from './types.js';

/** The reason why `publish` failed, and whether the message may still be in the stream. */
export class PublishError extends NatspocError {
  /** `no`: the message is certainly not stored. `unknown`: an attempt got no answer, so the message may be stored. */
  readonly stored: 'no' | 'unknown';

  constructor({ error, outcome }: PublishFailure) {
    super(error.code, error.message, { cause: error.cause });
    this.stored = outcome === 'rejected' ? 'no' : 'unknown';
  }
}
