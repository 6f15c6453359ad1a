import { batchLimits } from '../config/batch.js';
import type { NextStep, OnExhausted } from '../config/retry.js';
import { messageOf } from '../lib/errors.js';
import { onAbort } from '../lib/on-abort.js';
import { areTriedAlone } from '../member/partition/batching.js';
import {
  type BatchHandler as AnyBatchHandler,
  type Handler as AnyHandler,
  FailedAt,
  type InBatches,
  StopConsuming,
} from '../member/partition/handler.js';
import { HandlerCall } from '../member/partition/handler-call.js';
import type { Logger, LogLevel } from '../member/partition/logger.js';
import { decide } from '../member/partition/verdict.js';
import { joinGroupConfig } from '../options/check.js';
import { decoded } from '../options/decoded.js';
import type { BatchHandler, Decoding, Handler } from '../options/handling.js';
import type { MemberOptions } from '../options/member.js';
import { KEY_HEADER, partitionSubject } from '../protocol/layout.js';
import type { StreamMessage } from '../protocol/message.js';
import { LocalMessage } from './local-message.js';

const PREFIX = 'events';

/** The options of `joinGroup` that affect a single call of the handler. */
export type CalledOptions<Value> = Decoding<Value> &
  Pick<MemberOptions, 'judge' | 'maxAttempts' | 'onFailure'>;

/** A handler and its options. */
export type CalledProgram<Value = undefined, State = undefined> = CalledOptions<Value> & {
  handler: Handler<Value, State>;
};

/** A batch handler and its options. */
export type CalledBatches<Value = undefined, State = undefined> = CalledOptions<Value> & {
  batchHandler: BatchHandler<Value, State>;
};

/** A message of a call. Every field has a default. */
export interface CalledMessage {
  /**
   * The value of the message. Without `data`, the payload is this value as JSON. Without `schema` and `decode`, the handler gets this
   * value.
   */
  value?: unknown;
  /** The payload. Default: `value` as JSON, or no bytes if there is no `value`. */
  data?: Uint8Array | string | undefined;
  /** Default null. */
  key?: string | null | undefined;
  /** Default: only the header of the key. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Default 1. */
  sequence?: number | undefined;
  /** Default: the subject of the partition. */
  subject?: string | undefined;
  /** When the message was stored, in milliseconds since 1970. Default: now. */
  timestampMs?: number | undefined;
}

/** The values of the context of a call. Every field has a default. */
export interface CalledAt<State = undefined> {
  /** Default 0. */
  partition?: number | undefined;
  /** Default 1. */
  epoch?: number | undefined;
  /** Default 1. */
  attempt?: number | undefined;
  /** The state of the partition. In a member, `acquire` returns this state. */
  state?: State | undefined;
  /** Aborts the `signal` of the context. */
  signal?: AbortSignal | undefined;
}

/** The outcome of a call. */
export type CallResult = {
  /** The lines that the handler wrote to its log, in order. */
  readonly log: readonly { readonly level: LogLevel; readonly text: string }[];
} & (
  | { readonly outcome: 'handled'; readonly error?: undefined }
  | {
      readonly outcome: 'failed';
      readonly error: unknown;
      /**
       * What a member would do next. `judge` decides this, or `maxAttempts` and `onFailure`. It is `retry`, at once, if a member would now
       * try the messages of the batch one at a time.
       */
      readonly then: 'retry' | OnExhausted;
      /** The wait before the retry, in milliseconds. If part of the wait is random, this is the longest wait. */
      readonly retryInMs?: number | undefined;
      /** Why the judge's verdict is invalid. Present if the judge threw or returned an invalid verdict. */
      readonly fault?: string | undefined;
      /**
       * The index of the failed message in a batch. The messages before it are handled. Absent if the batch handler threw no `FailedAt`. An
       * index beyond the end means the last message.
       */
      readonly index?: number | undefined;
    }
  /** The handler threw a `StopConsuming`. A member would leave the group. */
  | { readonly outcome: 'stopped'; readonly error: unknown }
);

/**
 * Calls a handler once, with the message and context that a member would pass. The value comes from `schema` or `decode`. `judge` receives
 * a thrown error. No server is needed.
 *
 * @param program the handler, or an object with the handler and its options.
 * @returns the outcome. If the handler throws, this is an outcome too, and the promise does not reject.
 * @throws NatspocError `config` for options that `joinGroup` refuses.
 */
export async function call<Value = undefined, State = undefined>(
  program: Handler<Value, State> | CalledProgram<Value, State>,
  about: CalledMessage & CalledAt<State> = {},
): Promise<CallResult> {
  const options: CalledProgram<Value, State> = typeof program === 'function' ? { handler: program } : program;
  // The type of value that the handler expects cannot be checked at run time.
  const handler = withValues(options.handler as unknown as AnyHandler, options, [about]);
  return run(options, [about], about, ([message], context) => message && handler(message, context));
}

/**
 * Like {@link call}, for a batch handler. The messages have the sequences 1, 2, … unless they specify others.
 *
 * @throws NatspocError `config` for options that `joinGroup` refuses.
 */
export async function callBatch<Value = undefined, State = undefined>(
  program: BatchHandler<Value, State> | CalledBatches<Value, State>,
  messages: readonly CalledMessage[],
  at: CalledAt<State> = {},
): Promise<CallResult> {
  const options: CalledBatches<Value, State> =
    typeof program === 'function' ? { batchHandler: program } : program;
  const numbered = messages.map((each, index) => ({ sequence: index + 1, ...each }));
  const batch = {
    handler: options.batchHandler as unknown as AnyBatchHandler,
    limits: batchLimits(undefined),
  };
  const { handler } = withValues(batch, options, numbered);
  return run(options, numbered, at, handler);
}

async function run<Value, State>(
  options: CalledProgram<Value, State> | CalledBatches<Value, State>,
  called: readonly CalledMessage[],
  at: CalledAt<unknown>,
  handler: (messages: readonly StreamMessage[], context: HandlerCall) => unknown,
): Promise<CallResult> {
  const { maxAttempts, backoff, onFailure: onExhausted } = joinGroupConfig(options);
  const { partition = 0, epoch = 1, attempt = 1, signal, state } = at;
  const log: { level: LogLevel; text: string }[] = [];
  const messages = called.map((each) => made(each, partition));
  const [first = made({}, partition)] = messages;
  const scope = { partition, epoch, logger: keeping(log), state: { value: state } };
  const context = new HandlerCall(scope, first, attempt);
  const abort = (): void =>
    context.abort(signal?.reason instanceof Error ? signal.reason : messageOf(signal?.reason));
  const forget = onAbort(signal, abort);
  if (signal?.aborted) abort();
  try {
    await handler(messages, context);
    return { outcome: 'handled', log };
  } catch (error) {
    if (error instanceof StopConsuming) return { outcome: 'stopped', error, log };
    const isBatch = 'batchHandler' in options && messages.length > 0;
    const one = isBatch ? FailedAt.in(error, messages.length) : undefined;
    const { index, cause } = one ?? { index: undefined, cause: error };
    const failure = { error: cause, message: messages[index ?? 0] ?? first, attempt, partition, epoch };
    const decision = decide(failure, { maxAttempts, backoff, onExhausted }, options.judge, 1);
    const isOver = areTriedAlone(messages.length, one !== undefined, decision.kind);
    const next: NextStep = isOver ? { kind: 'retry', delayMs: 0 } : decision;
    const retryInMs = next.kind === 'retry' ? next.delayMs : undefined;
    const { kind: then } = next;
    return { outcome: 'failed', error: cause, then, retryInMs, fault: decision.fault, index, log };
  } finally {
    forget();
  }
}

/** Gives the handler's messages their values: from `schema` or `decode`, otherwise the given values. */
function withValues<H extends AnyHandler | InBatches, Value>(
  handler: H,
  options: Decoding<Value>,
  called: readonly CalledMessage[],
): H {
  if (options.schema || options.decode) return decoded(handler, options) as H;
  const values = called.map(({ value }) => value);
  let next = 0;
  return decoded(handler, { decode: () => values[next++] }) as H;
}

function made(about: CalledMessage, partition: number): LocalMessage {
  const { value, data, key, headers, sequence = 1, subject, timestampMs = Date.now() } = about;
  const text = data ?? (value === undefined ? '' : JSON.stringify(value));
  return new LocalMessage({
    sequence,
    subject: subject ?? partitionSubject(PREFIX, partition),
    timestampMs,
    data: typeof text === 'string' ? new TextEncoder().encode(text) : text,
    headers: { ...headers, ...(typeof key === 'string' && { [KEY_HEADER]: key }) },
  });
}

/** A logger that keeps texts. It removes the partition and sequence that a handler's log adds. */
function keeping(log: { level: LogLevel; text: string }[]): Logger {
  const at = (level: LogLevel) => (_fields: object, text: string) =>
    void log.push({ level, text: text.replace(/^p\d+ #\d+: /, '') });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
