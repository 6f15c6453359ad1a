import type { BatchLimits } from '../config/batch.js';
import type { HandlerLog } from '../member/partition/logger.js';
import type { StateContext } from '../member/partition/partition-state.js';
import type { StreamMessage } from '../protocol/message.js';
import type { StandardSchema } from './standard-schema.js';

/** A message as handlers get it. */
export interface Message<Value = undefined> extends StreamMessage {
  /** The result of `schema` or `decode`; undefined without these options. */
  readonly value: Value;
}

/** The context that a batch handler gets with the messages. */
export interface BatchContext<State = undefined> {
  readonly partition: number;
  /** The fencing token. It grows with each change of owner. Send it along with every write to another system. */
  readonly epoch: number;
  /** The number of this owner's attempt, starting at 1. For a batch, the attempt of its first message. */
  readonly attempt: number;
  /**
   * Aborts when the handler has to stop: its time has passed, the drain takes too long, or this member has lost the
   * partition.
   */
  readonly signal: AbortSignal;
  /** A log that adds partition and sequence to each line. */
  readonly log: HandlerLog;
  /** The result of `acquire` for the partition; undefined without `acquire`. */
  readonly state: State;
}

/** The context that a handler gets with the message. */
export interface HandlerContext<State = undefined> extends BatchContext<State> {
  /** The partitioning key: the header `Natspoc-Key`, or the key of a keyed group. Null if the message has no key. */
  readonly key: string | null;
  /** All headers, with the last value of each name. The headers are decoded on first use. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Handles one message. If the handler returns (or resolves), the message is handled. If it throws (or rejects), the
 * attempt has failed. The messages of a partition come one at a time, in order. With a concurrency above 1, this holds
 * for the messages of each key. Any thenable is awaited, and its value is ignored.
 */
export type Handler<Value = undefined, State = undefined> = (
  message: Message<Value>,
  context: HandlerContext<State>,
) => unknown;

/**
 * Handles several consecutive messages of one partition in one call. If the handler throws (or rejects), none of the
 * messages counts as handled. If it throws `FailedAt`, the messages before the failed one are handled. After a failed
 * last attempt, the batch is handled one message at a time. So only the failing message can halt the partition, be
 * skipped, or become a dead letter.
 */
export type BatchHandler<Value = undefined, State = undefined> = (
  messages: readonly Message<Value>[],
  context: BatchContext<State>,
) => unknown;

/** How the value of a message is computed. If that fails, the attempt fails with `InvalidMessage` and is not repeated. */
export interface Decoding<Value> {
  /**
   * A schema of zod, valibot, arktype or another library with Standard Schema. The payload is parsed as JSON and
   * validated. The result is `message.value`.
   *
   * @default none
   */
  schema?: StandardSchema<Value> | undefined;
  /**
   * Computes `message.value`, as an alternative to `schema`. Can return a promise. If it throws, the message is invalid.
   * Write it before the handler, so that TypeScript can infer the type of the value.
   *
   * @default none
   */
  decode?: ((message: StreamMessage) => Value | Promise<Value>) | undefined;
}

/** The program's state of each partition: a cache, an open file, a transaction. */
export interface Stateful<State> {
  /**
   * Called and awaited before a partition's first message in each epoch. The result is `context.state`. If `acquire`
   * fails, the partition starts again. Write it before the handler, so that TypeScript can infer the type of the state.
   *
   * @default none
   */
  acquire?: ((partition: number, context: StateContext) => State | Promise<State>) | undefined;
  /**
   * Called and awaited between a partition's last handler and its last commit. Its time limit is the rest of
   * `drainTimeoutMs`. If `release` fails, the last commit is not made. For a lost partition, it is not called, but the
   * context's `signal` aborts.
   *
   * @default none
   */
  release?: ((partition: number, state: State, context: StateContext) => unknown) | undefined;
}

/** How messages are handled: one by one, in batches of one partition, or in a loop over `member.messages()`. */
export type Handling<Value = undefined, State = undefined> =
  | { handler?: undefined; batchHandler?: undefined; batch?: undefined }
  | {
      /**
       * Called for each message; see {@link Handler}.
       *
       * @default none: `member.messages()`
       */
      handler: Handler<Value, State>;
      batchHandler?: undefined;
      batch?: undefined;
    }
  | {
      handler?: undefined;
      /**
       * Called for batches of one partition, in order; see {@link BatchHandler}. `concurrency` must be 1.
       *
       * @default none
       */
      batchHandler: BatchHandler<Value, State>;
      /**
       * Limits of a batch: `messages`, `bytes` (payloads), and `waitMs`. After `waitMs` milliseconds, a batch starts
       * even if it is not full.
       *
       * @default { messages: 500, bytes: 4_194_304, waitMs: 100 }
       */
      batch?: Partial<BatchLimits> | undefined;
    };
