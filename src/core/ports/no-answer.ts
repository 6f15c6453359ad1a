import type { NatspocError } from '../lib/errors.js';
import type { Unanswered } from '../lib/unanswered.js';

/** `unknown`: no answer. `failed`: no retry will help, for example because permissions are missing. */
export type NoAnswer = ({ kind: 'unknown' } & Unanswered) | { kind: 'failed'; error: NatspocError };
