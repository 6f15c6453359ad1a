import type { Handler, InBatches } from './handler.js';
import { refusing } from './refusing.js';

/** The error of a message without a key, if such messages become dead letters. The message is not tried. */
export class KeyMissing extends Error {
  override readonly name = 'KeyMissing';

  constructor() {
    super('it has no key');
  }
}

/** Wraps a handler so that it is called only for messages with a key. Messages without a key fail with {@link KeyMissing}. */
export const forKeyed = (handler: Handler | InBatches): Handler | InBatches =>
  refusing(handler, ({ key }) => (key === null ? new KeyMissing() : undefined));
