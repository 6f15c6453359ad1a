import type { StreamMessage } from '../ports.js';

/** What a handler knows about the message beside its content. */
export interface HandlerContext {
  readonly partition: number;
  /** The fencing token: grows with every change of hands. Pass it along with what you write elsewhere. */
  readonly epoch: number;
  /** 1 for the first try of this owner. */
  readonly attempt: number;
  /** Aborts when the handler has to stop: draining took too long, or the partition is no longer ours. */
  readonly signal: AbortSignal;
}

/**
 * Handles one message. Returning (or resolving) means handled; throwing (or rejecting) means failed. Messages
 * of a partition come one at a time, in order.
 */
export type Handler = (message: StreamMessage, context: HandlerContext) => void | Promise<void>;

/** Waits before another attempt: `baseMs * 2^(attempt-1)`, at most `maxMs`, half of it random. */
export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/**
 * The delay after the given failed attempt (1, 2, …), in milliseconds; "equal jitter" keeps at least half, so
 * that a failing dependency gets a rest, and spreads the other half.
 */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random;
}
