import { parseDuration } from '../lib/units.js';

/** The longest permitted wait before another attempt. */
export const LONGEST_BACKOFF = '1d';
/** {@link LONGEST_BACKOFF} in milliseconds. */
export const LONGEST_BACKOFF_MS = parseDuration(LONGEST_BACKOFF) ?? Number.NaN;

/** The wait before another attempt: `baseMs * 2^(attempt-1)`, at most `maxMs`. Half of each wait is random. */
export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/**
 * What happens to a message after its last failed attempt: halt the partition, store it as a dead letter, or skip it.
 */
export type OnExhausted = 'halt' | 'dead-letter' | 'skip';

/** The final outcome of a message. A message that failed for good is stored as a dead letter or skipped. */
export type Dealt = 'handled' | Exclude<OnExhausted, 'halt'>;

/** What happens to a message whose handler fails. */
export interface FailurePolicy {
  /** Total number of attempts, at least 1. */
  maxAttempts: number;
  backoff: Backoff;
  onExhausted: OnExhausted;
}

/** The default policy: three tries within about half a second, then halt. */
export const DEFAULT_FAILURE_POLICY: FailurePolicy = {
  maxAttempts: 3,
  backoff: { baseMs: 100, maxMs: 30_000 },
  onExhausted: 'halt',
};

/** What happens after a failed attempt. */
export type NextStep = { kind: 'retry'; delayMs: number } | { kind: OnExhausted };

/** The delay after a failed attempt (1, 2, …), in milliseconds. Half of it is random ("equal jitter"). */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random;
}

/** Decides what follows the given failed attempt (1, 2, …). `random` is from 0 to 1. */
export function nextStep(policy: FailurePolicy, attempt: number, random: number): NextStep {
  if (attempt < policy.maxAttempts)
    return { kind: 'retry', delayMs: backoffMs(policy.backoff, attempt, random) };
  return { kind: policy.onExhausted };
}

/** Reads `100ms` (the first delay) or `100ms..30s` (first delay and cap); undefined for anything else. */
export function parseBackoff(text: string): Backoff | undefined {
  const [base = '', cap, ...more] = text.split('..');
  const baseMs = parseDuration(base);
  const maxMs = cap === undefined ? DEFAULT_FAILURE_POLICY.backoff.maxMs : parseDuration(cap);
  if (baseMs === undefined || maxMs === undefined || more.length > 0) return undefined;
  if (cap !== undefined && maxMs < baseMs) return undefined;
  const backoff = { baseMs, maxMs: Math.max(baseMs, maxMs) };
  return isBackoff(backoff) ? backoff : undefined;
}

/** True for an object with a first delay and a cap. The cap is at least the first delay, and at most a day. */
export function isBackoff(value: unknown): value is Backoff {
  if (typeof value !== 'object' || value === null) return false;
  const { baseMs, maxMs, ...more }: { baseMs?: unknown; maxMs?: unknown } = value;
  if (typeof baseMs !== 'number' || typeof maxMs !== 'number' || Object.keys(more).length > 0) return false;
  return baseMs >= 0 && maxMs >= baseMs && maxMs <= LONGEST_BACKOFF_MS;
}
