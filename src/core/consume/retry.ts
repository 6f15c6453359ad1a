import { type Backoff, backoffMs } from './handler.js';

/** What happens to a message whose handler fails. */
export interface FailurePolicy {
  /** Attempts in all, at least 1. */
  maxAttempts: number;
  backoff: Backoff;
  /** After the last attempt: give the partition up, or pass the message over. */
  afterwards: 'halt' | 'skip';
}

/** What follows a failed attempt. */
export type NextStep = { kind: 'retry'; delayMs: number } | { kind: 'halt' } | { kind: 'skip' };

/** Decides what follows the given failed attempt (1, 2, …). `random` is from 0 to 1. */
export function nextStep(policy: FailurePolicy, attempt: number, random: number): NextStep {
  if (attempt < policy.maxAttempts)
    return { kind: 'retry', delayMs: backoffMs(policy.backoff, attempt, random) };
  return { kind: policy.afterwards };
}
