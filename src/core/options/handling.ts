import type { BatchLimits } from '../config/batch.js';
import type { HandlerLog } from '../member/partition/logger.js';
import type { StateContext } from '../member/partition/partition-state.js';
import type { StreamMessage } from '../protocol/message.js';
import type { StandardSchema } from './standard-schema.js';

/** A message as handlers get it. */
export interface Message<Value = undefined> extends StreamMessage {
  /** The result of `schema` or `decode`; undefined without them. */
  readonly value: Value;
}

/** The context that a batch handler gets with the messages. */
export interface BatchContext<State = undefined> {
  readonly partition: number;
  /** The fencing token: grows with each change of owner. Send it along with every write to another system. */
  readonly epoch: number;
  /** 1 for the first attempt by this owner. For a batch, the attempt of its first message. */
  readonly attempt: number;
  /**
   * Aborts when the handler has to stop, because its time has passed, the drain takes too long, or this member has lost the
   * partition.
   */
  readonly signal: AbortSignal;
  /** A log that adds partition and sequence to each line. */
  readonly log: HandlerLog;
  /** What `acquire` returned for the partition; undefined without it. */
  readonly state: State;
}

/** The context that a handler gets with the message. */
export interface HandlerContext<State = undefined> extends BatchContext<State> {
  /** The partitioning key (header `Natspoc-Key`), or null. */
  readonly key: string | null;
  /** All headers, decoded on first use; the last value of each name. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Handles one message. If it returns (or resolves), the message is handled; if it throws (or rejects), the attempt has failed.
 * The handler gets the messages of a partition one at a time, in order. With a concurrency above 1, this holds for the messages of
 * one key. Any thenable is awaited, and its value is ignored.
 */
export type Handler<Value = undefined, State = undefined> = (
  message: Message<Value>,
  context: HandlerContext<State>,
) => unknown;

/**
 * Handles consecutive messages of one partition as a whole. If it throws (or rejects), none of the messages is handled. If it
 * throws `FailedAt`, the messages before the failed message are handled. A batch whose last attempt fails is handled one message at
 * a time. Then only the message that fails halts the partition, is skipped, or is stored as a dead letter.
 */
export type BatchHandler<Value = undefined, State = undefined> = (
  messages: readonly Message<Value>[],
  context: BatchContext<State>,
) => unknown;

/** How the value of a message is made. If no value can be made, the attempt fails with `InvalidMessage`, and is not repeated. */
export interface Decoding<Value> {
  /**
   * A schema of zod, valibot, arktype or another library that implements Standard Schema. The payload is parsed as JSON and
   * validated; the result is `message.value`.
   *
   * @default none
   */
  schema?: StandardSchema<Value> | undefined;
  /**
   * Makes `message.value`, instead of `schema`; may return a promise. If it throws, the message is invalid. Write it before the
   * handler, so that TypeScript can infer the type of the value.
   *
   * @default none
   */
  decode?: ((message: StreamMessage) => Value | Promise<Value>) | undefined;
}

/** The program's state of each partition: a cache, an open file, a transaction. */
export interface Stateful<State> {
  /**
   * Called and awaited before the first message of a partition under a new epoch. Its result is `context.state`. If it fails,
   * the partition starts again. Write it before the handler, so that TypeScript can infer the type of the state.
   *
   * @default none
   */
  acquire?: ((partition: number, context: StateContext) => State | Promise<State>) | undefined;
  /**
   * Called and awaited after the last handler of a partition and before the last commit, within the rest of `drainTimeoutMs`. If it
   * fails, there is no last commit. It is not called for a lost partition; then the context's `signal` aborts.
   *
   * @default none
   */
  release?: ((partition: number, state: State, context: StateContext) => unknown) | undefined;
}

/** How messages are handled: one by one, in batches of one partition, or in a loop over `member.messages()`. */
export type Handling<Value = undefined, State = undefined> =
  | { handler?: never; batchHandler?: never; batch?: never }
  | {
      /**
       * Called for each message; see {@link Handler}.
       *
       * @default none: `member.messages()`
       */
      handler: Handler<Value, State>;
      batchHandler?: never;
      batch?: never;
    }
  | {
      handler?: never;
      /**
       * Called for batches of one partition, in order; see {@link BatchHandler}. `concurrency` is 1.
       *
       * @default none
       */
      batchHandler: BatchHandler<Value, State>;
      /**
       * Limits of a batch: `messages`, `bytes` (payloads), and `waitMs`. After `waitMs` milliseconds a batch starts even if it
       * is not full.
       *
       * @default { messages: 500, bytes: 4_194_304, waitMs: 100 }
       */
      batch?: Partial<BatchLimits> | undefined;
    };
