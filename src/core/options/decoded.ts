import { messageOf } from '../lib/errors.js';
import { parseJson } from '../lib/json.js';
import { isThenable, promiseOf } from '../lib/promise-of.js';
import {
  type BatchHandler,
  FailedAt,
  type Handler,
  type InBatches,
  StopConsuming,
} from '../member/partition/handler.js';
import { InvalidMessage } from '../member/partition/verdict.js';
import type { StreamMessage } from '../protocol/message.js';
import type { Decoding } from './handling.js';
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js';

/** Maximum number of problems in the error about an invalid value. */
const MOST_ISSUES = 3;

/** Computes the value of a message. @throws InvalidMessage, or returns a promise that rejects with this error. */
type Decode = (message: StreamMessage) => unknown;

/** Wraps a handler so that its messages have values. Without `schema` and `decode`, returns the handler itself. */
export function decoded<Value>(
  handler: Handler | InBatches,
  { schema, decode }: Decoding<Value>,
): Handler | InBatches {
  if (schema) return withValues(handler, (message) => validated(schema, message));
  if (decode) return withValues(handler, (message) => guarded(() => decode(message)));
  return handler;
}

const withValues = (handler: Handler | InBatches, decode: Decode): Handler | InBatches =>
  typeof handler === 'function'
    ? single(handler, decode)
    : { ...handler, handler: inBatches(handler.handler, decode) };

function single(handler: Handler, decode: Decode): Handler {
  return (message, context) => {
    const value = decode(message);
    const coming = promiseOf(value);
    const call = (made: unknown): unknown => handler(Object.assign(message, { value: made }), context);
    return coming ? coming.then(call) : call(value);
  };
}

/** The messages before an invalid message are handled as a batch of their own. */
function inBatches(handler: BatchHandler, decode: Decode): BatchHandler {
  return async (messages, context) => {
    const values = await Promise.allSettled(messages.map(async (message) => decode(message)));
    const valid: StreamMessage[] = [];
    for (const [index, made] of values.entries()) {
      const message = messages[index];
      if (!message || made.status === 'rejected') break;
      valid.push(Object.assign(message, { value: made.value }));
    }
    if (valid.length > 0) await handler(valid, context);
    const failed = values[valid.length];
    if (failed?.status !== 'rejected') return;
    if (failed.reason instanceof StopConsuming) throw failed.reason;
    throw new FailedAt(valid.length, failed.reason);
  };
}

/** An error in a program's own decoding makes the message invalid. */
function guarded(make: () => unknown): unknown {
  const refuse = (error: unknown): never => {
    if (error instanceof StopConsuming || error instanceof InvalidMessage) throw error;
    throw new InvalidMessage(messageOf(error), { cause: error });
  };
  try {
    const value = make();
    return promiseOf(value)?.catch(refuse) ?? value;
  } catch (error) {
    return refuse(error);
  }
}

function validated<Value>(schema: StandardSchema<Value>, { data }: StreamMessage): unknown {
  return guarded(() => {
    const result = schema['~standard'].validate(parseJson(data));
    return isThenable(result) ? result.then(outputOf) : outputOf(result);
  });
}

function outputOf<Value>(result: SchemaResult<Value>): Value {
  if (result.issues === undefined) return result.value;
  const { issues } = result;
  const more = issues.length > MOST_ISSUES ? `; and ${issues.length - MOST_ISSUES} more` : '';
  throw new InvalidMessage(`${issues.slice(0, MOST_ISSUES).map(describe).join('; ')}${more}`, {
    cause: issues,
  });
}

function describe({ message, path = [] }: SchemaIssue): string {
  const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return at === '' ? message : `${at}: ${message}`;
}
