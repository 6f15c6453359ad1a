import { AsyncLocalStorage } from 'node:async_hooks';
import { messageOf } from '../../lib/errors.js';
import { promiseOf } from '../../lib/promise-of.js';
import { type Handler, type InBatches, wrapHandler } from './handler.js';
import { HandlerCall } from './handler-call.js';

/** Resolves one turn of the event loop later. By then the runtime has detected rejections that the handler did not await. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** True if the runtime does not reveal which call a rejected promise belongs to. */
export const REJECTIONS_ARE_ANONYMOUS = process.versions.bun !== undefined;

/** What all guards of a process share, because a rejection is reported to all listeners. */
interface Shared {
  /** The call in whose context the current code runs. */
  readonly calls: AsyncLocalStorage<Pick<HandlerCall, 'fail' | 'log'>>;
  /** The guards in force. `ended` is the parameter of {@link guardStrays}. */
  readonly guards: Set<{ ended: ((error: unknown) => void) | undefined }>;
  /** One listener serves all guards. It exists while there is a guard. */
  readonly listener: (reason: unknown) => void;
}

/** Where {@link Shared} is stored. Other copies of this library in the process find it there, too. */
const PLACE = Symbol.for('natspoc.strays');

const isShared = (value: unknown): value is Shared =>
  typeof value === 'object' && value !== null && 'calls' in value && 'guards' in value && 'listener' in value;

function sharedByAll(): Shared {
  const found: unknown = Reflect.get(globalThis, PLACE);
  if (isShared(found)) return found;
  const calls: Shared['calls'] = new AsyncLocalStorage();
  const guards: Shared['guards'] = new Set();
  const shared: Shared = { calls, guards, listener: (reason) => onRejection({ calls, guards }, reason) };
  Reflect.defineProperty(globalThis, PLACE, { value: shared });
  return shared;
}

function onRejection({ calls, guards }: Pick<Shared, 'calls' | 'guards'>, reason: unknown): void {
  const call = calls.getStore();
  if (call?.fail(reason)) return;
  if (call) {
    call.log.error(
      `a promise that the handler did not await was rejected after the handler had returned: ${messageOf(reason)}`,
    );
    return;
  }
  const ends = [...guards].flatMap(({ ended }) => ended ?? []);
  for (const ended of ends) ended(reason);
  // If the program listens too, the decision is the program's.
  if (ends.length === 0 && process.listenerCount('unhandledRejection') === 1) throw reason;
}

/** A handler whose stray errors count as failures of its messages, and do not end the process. */
export interface GuardedHandler {
  handler: Handler | InBatches;
  /** Removes the process listeners. */
  stop(): void;
}

/**
 * Wraps a handler so that its unhandled rejections count as failures of the running message. After the message is handled, a rejection is
 * only reported.
 *
 * Listens to unhandled rejections of the process. Tracking which call a promise belongs to costs some speed, so this wrapper is only for
 * untrusted handlers. Bun does not reveal the origin of a rejection, so no rejection counts as a failure there.
 *
 * @param ended given if the process runs only this handler. Uncaught exceptions of timers and callbacks then also count as failures of a
 *   running message. `ended` is called with errors that belong to no running message. The process must then shut down cleanly. Without
 *   `ended`, such errors end the process as usual, unless the program listens to `unhandledRejection`.
 */
export function guardStrays(handler: Handler | InBatches, ended?: (error: unknown) => void): GuardedHandler {
  const { calls, guards, listener } = sharedByAll();
  const guard = { ended };
  const onException = (error: unknown): void => {
    if (!calls.getStore()?.fail(error)) ended?.(error);
  };
  if (guards.size === 0) process.on('unhandledRejection', listener);
  guards.add(guard);
  if (ended) process.on('uncaughtException', onException);
  return {
    handler: wrapHandler(handler, (run) => (...args) => {
      const context = args.at(-1);
      if (!(context instanceof HandlerCall)) return run(...args);
      // The promise is awaited in the call's context as well, because a lazy query starts only then.
      return calls.run(context, () => promiseOf(run(...args))?.then(nextTurn));
    }),
    stop: () => {
      guards.delete(guard);
      if (guards.size === 0) process.off('unhandledRejection', listener);
      process.off('uncaughtException', onException);
    },
  };
}
