import type { NatspocError } from '../lib/errors.js';

/**
 * `unknown`: no answer. `closed`: the connection is closed, so there will be none. `failed`: no retry will help, for
 * example because permissions are missing.
 */
export type NoAnswer =
  | { kind: 'unknown'; closed?: NatspocError | undefined }
  | { kind: 'failed'; error: NatspocError };
