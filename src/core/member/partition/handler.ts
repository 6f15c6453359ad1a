import type { StreamMessage } from '../../protocol/message.js';

/** Takes what a handler has to say to people; the program decides where it goes. */
export interface Logger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** Takes everything and says nothing. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** What a handler knows about the message beside its content. */
export interface HandlerContext {
  readonly partition: number;
  /** The fencing token: grows with every change of hands. Pass it along with what you write elsewhere. */
  readonly epoch: number;
  /** 1 for the first try of this owner. */
  readonly attempt: number;
  /** The partitioning key (header `Natspoc-Key`), or null. */
  readonly key: string | null;
  /** All headers, decoded when first looked at; the last value of each name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the handler has to stop: draining took too long, a timeout, or the partition is no longer ours. */
  readonly signal: AbortSignal;
  /** Says which message it is about. */
  readonly log: Logger;
}

/**
 * Handles one message. Returning (or resolving) means handled; throwing (or rejecting) means failed. Messages
 * of a partition come one at a time, in order; with a concurrency above 1, those of one key do. Whatever has a
 * `then` is waited for; what it returns or resolves with makes no difference.
 */
export type Handler = (message: StreamMessage, context: HandlerContext) => unknown;

/**
 * Thrown by a handler that can handle nothing at all, whatever the message: its database is gone for good, its
 * program is not there. The member hands its partitions over and leaves; the message is neither retried nor
 * passed over.
 */
export class StopConsuming extends Error {
  override readonly name = 'StopConsuming';
}
