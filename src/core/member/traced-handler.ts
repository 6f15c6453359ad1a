import { Tracing } from '../lib/tracing.js';
import type { StreamMessage } from '../protocol/message.js';
import type { BatchContext, Handler, InBatches } from './partition/handler.js';

/** An event of the tracing channel `natspoc:handle`. Each event describes one call of a handler. */
export interface HandleTrace {
  readonly stream: string;
  readonly group: string;
  readonly partition: number;
  readonly epoch: number;
  /** The number of this attempt; 1 for the first attempt of this owner. */
  readonly attempt: number;
  /** The message, or all messages of a batch. */
  readonly messages: readonly StreamMessage[];
  /** The headers of the first message, such as `traceparent`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The error of the call; set when the call has failed. */
  readonly error?: unknown;
}

/** Wraps a handler so that its calls are published to subscribers of `natspoc:handle`. */
export function tracedHandler(
  handler: Handler | InBatches,
  place: { stream: string; group: string },
): Handler | InBatches {
  const tracing = new Tracing<HandleTrace>('natspoc:handle');
  const eventOf = (
    messages: readonly StreamMessage[],
    { partition, epoch, attempt }: BatchContext,
  ): HandleTrace => {
    const headers = messages[0]?.headers() ?? {};
    return { ...place, partition, epoch, attempt, messages, headers };
  };
  if (typeof handler === 'function') {
    return (message, context) =>
      tracing.isOn
        ? tracing.trace(eventOf([message], context), () => handler(message, context))
        : handler(message, context);
  }
  const { handler: call, limits } = handler;
  return {
    limits,
    handler: (messages, context) =>
      tracing.isOn
        ? tracing.trace(eventOf(messages, context), () => call(messages, context))
        : call(messages, context),
  };
}
