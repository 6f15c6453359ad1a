import type { StreamMessage } from '../../protocol/message.js';
import { FailedAt, type Handler, type InBatches } from './handler.js';

/**
 * Wraps a handler so that some messages fail at once, without a call. `refuse` returns the error of a message that fails, and undefined
 * for any other message.
 */
export function refusing(
  handler: Handler | InBatches,
  refuse: (message: StreamMessage) => Error | undefined,
): Handler | InBatches {
  if (typeof handler === 'function') {
    return (message, context) => {
      const error = refuse(message);
      if (error) throw error;
      return handler(message, context);
    };
  }
  const { handler: call, limits } = handler;
  return {
    limits,
    // The messages before the first refused message form a batch of their own.
    handler: async (messages, context) => {
      const index = messages.findIndex((message) => refuse(message) !== undefined);
      const [first] = index < 0 ? [] : messages.slice(index);
      const called = index < 0 ? messages : messages.slice(0, index);
      if (called.length > 0) await call(called, context);
      if (first) throw new FailedAt(index, refuse(first));
    },
  };
}
