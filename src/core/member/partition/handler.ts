import type { BatchLimits } from '../../config/batch.js';
import { messageOf } from '../../lib/errors.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { HandlerLog } from './logger.js';

/** The context that a handler gets in addition to the message. */
export interface HandlerContext {
  readonly partition: number;
  /** The fencing token, which grows with each change of owner. Include the fencing token in your writes to other systems. */
  readonly epoch: number;
  /** The number of this attempt; 1 for the first attempt of this owner. */
  readonly attempt: number;
  /** The partitioning key: the header `Natspoc-Key`, or the key that a keyed group uses; null if the message has none. */
  readonly key: string | null;
  /** All headers, decoded on first use. If a name occurs more than once, its last value counts. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Aborts when the handler has to stop. The reason is its timeout, a drain that takes too long, a lost partition, or a member that cannot
   * renew.
   */
  readonly signal: AbortSignal;
  /** The log of the handler. Each line also contains the partition and the sequence. */
  readonly log: HandlerLog;
  /** The program's state of the partition. */
  readonly state: unknown;
}

/**
 * Handles one message. If the handler returns (or resolves), the message counts as handled. If the handler throws (or rejects), the message
 * counts as failed. Messages of a partition are handled one at a time, in order. With a concurrency above 1, this holds for the messages of
 * one key. Any thenable is awaited; its value is ignored.
 */
export type Handler = (message: StreamMessage, context: HandlerContext) => unknown;

/** The context that a batch handler gets in addition to the messages. `attempt` is the number of the first message's attempt. */
export type BatchContext = Pick<
  HandlerContext,
  'partition' | 'epoch' | 'attempt' | 'signal' | 'log' | 'state'
>;

/**
 * Handles consecutive messages of one partition as a whole. If it throws (or rejects), none of the messages is handled. {@link FailedAt}
 * means that the messages before the failed message are handled. After a batch's last failed attempt, its messages are handled one at a
 * time. The failure policy then applies only to the message that fails.
 */
export type BatchHandler = (messages: readonly StreamMessage[], context: BatchContext) => unknown;

/** A batch handler and the limits of its batches. */
export interface InBatches {
  readonly limits: BatchLimits;
  readonly handler: BatchHandler;
}

/** Wraps a handler of single messages or of batches. */
export function wrapHandler(
  handler: Handler | InBatches,
  wrap: <Call extends unknown[]>(call: (...args: Call) => unknown) => (...args: Call) => unknown,
): Handler | InBatches {
  return typeof handler === 'function' ? wrap(handler) : { ...handler, handler: wrap(handler.handler) };
}

/** Thrown by a batch handler: the message at `index` has failed, and the messages before it are handled. */
export class FailedAt extends Error {
  override readonly name = 'FailedAt';
  /** The index of the failed message in the batch, from 0. */
  readonly index: number;

  /** @throws RangeError if the index is not a whole number of 0 or more. */
  constructor(index: number, cause: unknown) {
    if (!Number.isSafeInteger(index) || index < 0)
      throw new RangeError(`FailedAt: ${index} is not the index of a message`);
    super(messageOf(cause), { cause });
    this.index = index;
  }

  /**
   * The failed message of a batch and its error, from a `FailedAt` of this or another copy of this library. An index beyond the end means
   * the last message. Undefined for any other error.
   *
   * @param messages the number of messages in the batch.
   */
  static in(error: unknown, messages: number): { index: number; cause: unknown } | undefined {
    if (!(error instanceof Error) || error.name !== 'FailedAt') return undefined;
    const { index, cause }: { index?: unknown; cause?: unknown } = error;
    if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) return undefined;
    return { index: Math.min(index, messages - 1), cause };
  }
}

/**
 * Thrown by a handler that cannot handle any message, for example because its database is gone for good. The member hands over its
 * partitions and leaves. The message is neither retried nor skipped.
 */
export class StopConsuming extends Error {
  override readonly name = 'StopConsuming';

  /** Also true for an error from another copy of this library, for example in a handler of the command line. */
  static override [Symbol.hasInstance](error: unknown): boolean {
    return error instanceof Error && error.name === 'StopConsuming';
  }
}
