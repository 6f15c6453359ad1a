import type { StreamMessage } from '../../protocol/message.js';

/** Receives the log lines of handlers. */
export interface Logger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** Discards everything. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** What a handler gets beside the message. */
export interface HandlerContext {
  readonly partition: number;
  /** The fencing token: grows with each change of owner. Pass it along with what you write elsewhere. */
  readonly epoch: number;
  /** 1 for the first attempt of this owner. */
  readonly attempt: number;
  /** The partitioning key (header `Natspoc-Key`), or null. */
  readonly key: string | null;
  /** All headers, decoded on first use; the last value of each name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the handler has to stop: the drain takes too long, a timeout, or the partition is no longer ours. */
  readonly signal: AbortSignal;
  /** Adds partition and sequence to each line. */
  readonly log: Logger;
}

/**
 * Handles one message. Returning (or resolving) means handled, throwing (or rejecting) means failed. Messages of a
 * partition come one at a time, in order; with a concurrency above 1, those of one key do. Any thenable is awaited; its
 * value is ignored.
 */
export type Handler = (message: StreamMessage, context: HandlerContext) => unknown;

/**
 * Thrown by a handler that cannot handle any message, for example because its database is gone for good. The member
 * hands its partitions over and leaves. The message is neither retried nor skipped.
 */
export class StopConsuming extends Error {
  override readonly name = 'StopConsuming';
}
