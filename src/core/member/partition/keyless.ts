import type { Handler, InBatches } from './handler.js';
import { refusing } from './refusing.js';

/** A message without a key, where the user wants it stored as a dead letter. It is not tried. */
export class KeyMissing extends Error {
  override readonly name = 'KeyMissing';

  constructor() {
    super('it has no key');
  }
}

/** The same handler, which is called only for messages with a key: others fail with {@link KeyMissing}. */
export const forKeyed = (handler: Handler | InBatches): Handler | InBatches =>
  refusing(handler, ({ key }) => (key === null ? new KeyMissing() : undefined));
