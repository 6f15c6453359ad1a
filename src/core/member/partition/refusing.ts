import type { StreamMessage } from '../../protocol/message.js';
import { FailedAt, type Handler, type InBatches } from './handler.js';

/** The same handler, which is not called for some messages: they fail at once. `refuse` returns the error; undefined: it is called. */
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
    // The messages before the first one that is refused are a batch of their own.
    handler: async (messages, context) => {
      const index = messages.findIndex((message) => refuse(message) !== undefined);
      const [first] = index < 0 ? [] : messages.slice(index);
      const called = index < 0 ? messages : messages.slice(0, index);
      if (called.length > 0) await call(called, context);
      if (first) throw new FailedAt(index, refuse(first));
    },
  };
}
