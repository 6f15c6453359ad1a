import type { EventEmitter } from 'node:events';
import { callSheltered } from '../lib/promise-of.js';

/**
 * Calls the listeners of an event. If a listener throws or rejects, the error is passed to `failed`. It affects neither the other listeners
 * nor the caller.
 */
export function tellListeners(
  emitter: EventEmitter,
  event: string,
  args: readonly unknown[],
  failed: (error: unknown) => void,
): void {
  // Raw listeners include the wrappers of `once`, which remove themselves.
  for (const listener of emitter.rawListeners(event)) {
    callSheltered(() => Reflect.apply(listener, emitter, args), failed);
  }
}
