import {
  backoffMs,
  type FailurePolicy,
  LONGEST_BACKOFF_MS,
  type NextStep,
  nextStep,
  type OnExhausted,
} from '../../config/retry.js';
import { messageOf } from '../../lib/errors.js';
import { inWords } from '../../lib/in-words.js';
import { promiseOf } from '../../lib/promise-of.js';
import type { StreamMessage } from '../../protocol/message.js';
import { KeyMissing } from './keyless.js';

/** The error of a message that can never be handled, and therefore is not tried again. Schemas, decoders and handlers throw this error. */
export class InvalidMessage extends Error {
  override readonly name = 'InvalidMessage';
  /** How many members in a row have died or hung at the message; absent if it is invalid for another reason. */
  declare readonly crashes?: number;
}

/** True for an `InvalidMessage`, even from another copy of this library. */
const isInvalid = (error: unknown): boolean => error instanceof Error && error.name === 'InvalidMessage';

/** The description of a failed attempt that a {@link Judge} gets. */
export interface Failure {
  readonly error: unknown;
  /** The message that failed, or the first message of a batch that failed as a whole. */
  readonly message: StreamMessage;
  /** The number of the attempt; 1 for the first attempt of this owner. */
  readonly attempt: number;
  readonly partition: number;
  readonly epoch: number;
}

/**
 * The action after a failed attempt. `retry` waits as usual, `retryInMs` waits this long (at most a day). The other values are those of
 * `onFailure`.
 */
export type Verdict = 'retry' | OnExhausted | { readonly retryInMs: number };

/** Decides what follows a failed attempt. If the judge returns no verdict, `maxAttempts` and `onFailure` decide. */
export type Judge = (failure: Failure) => Verdict | undefined;

/** The action after a failed attempt. `fault` is the reason why the judge's verdict is invalid; absent for a valid verdict. */
export type Decision = NextStep & { readonly fault?: string };

/**
 * Decides which action follows a failed attempt. The judge decides first. If the judge returns no verdict, the policy decides. If the
 * judge throws or returns an unknown verdict, the partition halts. A message that failed with {@link KeyMissing} becomes a dead
 * letter, regardless of the judge and the policy.
 *
 * @param random from 0 to 1.
 */
export function decide(
  failure: Failure,
  policy: FailurePolicy,
  judge: Judge | undefined,
  random: number,
): Decision {
  if (failure.error instanceof KeyMissing) return { kind: 'dead-letter' };
  let verdict: unknown;
  try {
    verdict = judge?.(failure);
  } catch (error) {
    return { kind: 'halt', fault: `judge threw: ${messageOf(error)}` };
  }
  if (verdict === undefined || verdict === null) {
    return isInvalid(failure.error)
      ? { kind: policy.onExhausted }
      : nextStep(policy, failure.attempt, random);
  }
  if (verdict === 'retry')
    return { kind: 'retry', delayMs: backoffMs(policy.backoff, failure.attempt, random) };
  if (verdict === 'halt' || verdict === 'skip' || verdict === 'dead-letter') return { kind: verdict };
  const delayMs = retryInMs(verdict);
  if (delayMs !== undefined) return { kind: 'retry', delayMs };
  // An async judge returns a promise. If nothing handled its rejection, the process would end.
  promiseOf(verdict)?.catch(() => {});
  return { kind: 'halt', fault: `judge returned ${inWords(verdict)}, which is not a verdict` };
}

function retryInMs(verdict: unknown): number | undefined {
  const { retryInMs: ms }: { retryInMs?: unknown } = Object(verdict);
  return typeof ms === 'number' && ms >= 0 && ms <= LONGEST_BACKOFF_MS ? ms : undefined;
}
