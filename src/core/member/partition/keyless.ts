import type { StreamMessage } from '../../protocol/message.js';
import { FailedAt, type Handler, type InBatches } from './handler.js';

/** A message without a key, where the user wants it stored as a dead letter. It is not tried. */
export class KeyMissing extends Error {
  override readonly name = 'KeyMissing';

  constructor() {
    super('it has no key');
  }
}

const isKeyless = ({ key }: StreamMessage): boolean => key === null;

/** The same handler, which is called only for messages with a key: others fail with {@link KeyMissing}. */
export function forKeyed(handler: Handler | InBatches): Handler | InBatches {
  if (typeof handler === 'function') {
    return (message, context) => {
      if (isKeyless(message)) throw new KeyMissing();
      return handler(message, context);
    };
  }
  const { handler: call, limits } = handler;
  return {
    limits,
    // The messages before the first one without a key are a batch of their own.
    handler: async (messages, context) => {
      const index = messages.findIndex(isKeyless);
      const keyed = index < 0 ? messages : messages.slice(0, index);
      if (keyed.length > 0) await call(keyed, context);
      if (index >= 0) throw new FailedAt(index, new KeyMissing());
    },
  };
}
