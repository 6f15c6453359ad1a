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

/** What a batch handler gets besides the messages. */
export interface BatchContext<State = undefined> {
  readonly partition: number;
  /** The fencing token: grows with each change of owner. Pass it along with what you write elsewhere. */
  readonly epoch: number;
  /** 1 for the first attempt by this owner. For a batch, the attempt of its first message. */
  readonly attempt: number;
  /** Aborts when the handler has to stop: its time is over, the drain takes too long, or this member lost the partition. */
  readonly signal: AbortSignal;
  /** Adds partition and sequence to each line. */
  readonly log: HandlerLog;
  /** What `acquire` returned for the partition; undefined without it. */
  readonly state: State;
}

/** What a handler gets besides the message. */
export interface HandlerContext<State = undefined> extends BatchContext<State> {
  /** The partitioning key (header `Natspoc-Key`), or null. */
  readonly key: string | null;
  /** All headers, decoded on first use; the last value of each name. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Handles one message. Returning (or resolving) means handled, throwing (or rejecting) means failed. Messages of a
 * partition come one at a time, in order; with a concurrency above 1, this holds for the messages of one key. Any thenable is
 * awaited; its value is ignored.
 */
export type Handler<Value = undefined, State = undefined> = (
  message: Message<Value>,
  context: HandlerContext<State>,
) => unknown;

/**
 * Handles consecutive messages of one partition as a whole. Throwing (or rejecting) means that none of them is handled;
 * `FailedAt` means that the messages before the failed one are. A batch whose last attempt fails is handled one message at a
 * time. Then only the message that fails halts the partition, is skipped, or is stored as a dead letter.
 */
export type BatchHandler<Value = undefined, State = undefined> = (
  messages: readonly Message<Value>[],
  context: BatchContext<State>,
) => unknown;

/** How the value of a message is made. If that fails, the attempt fails with `InvalidMessage`, and there is no other attempt. */
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
   * Called and awaited after the last handler of a partition and before its last commit, within the rest of `drainTimeoutMs`. If it
   * fails, there is no last commit. Not called for a lost partition: the context's `signal` aborts instead.
   *
   * @default none
   */
  release?: ((partition: number, state: State, context: StateContext) => unknown) | undefined;
}

/** What handles the messages: each one, batches of one partition, or a loop over `member.messages()`. */
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
       * Limits of a batch: `messages`, `bytes` (payloads), and `waitMs`, after which a batch that is not full
       * starts, in milliseconds.
       *
       * @default { messages: 500, bytes: 4_194_304, waitMs: 100 }
       */
      batch?: Partial<BatchLimits> | undefined;
    };
