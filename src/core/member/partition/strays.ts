import { AsyncLocalStorage } from 'node:async_hooks';
import { messageOf } from '../../lib/errors.js';
import { promiseOf } from '../../lib/promise-of.js';
import type { Handler } from './handler.js';
import { HandlerCall } from './handler-call.js';

/** Lets the runtime look at the promises that a handler has left behind. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** True where the runtime does not say which call a rejected promise belongs to. */
export const REJECTIONS_ARE_ANONYMOUS = process.versions.bun !== undefined;

/** A handler whose stray errors are its own failure, and not the end of the process. */
export interface GuardedHandler {
  handler: Handler;
  /** Gives the process its own ways back. */
  stop(): void;
}

/**
 * Wraps a handler so that a promise that it forgot, and that is rejected while the message is in hand, is that
 * message's failure. A later one is only reported: the message counts as handled already.
 *
 * Listens to the process's unhandled rejections. Tracking which call a promise belongs to costs some speed, so this is
 * for handlers that are not ours. On Bun, which does not say where a rejection comes from, no rejection is a message's
 * failure.
 *
 * @param ended given where the process is there for this handler alone: its timers' and callbacks' uncaught exceptions
 *   are the failure of a message in hand, too. Called with what belongs to no message in hand, rejections included: the
 *   process has to end, in order. Without it such errors end the process as they do without this.
 */
export function guardStrays(handler: Handler, ended?: (error: unknown) => void): GuardedHandler {
  const calls = new AsyncLocalStorage<HandlerCall>();
  const onRejection = (reason: unknown): void => {
    const call = calls.getStore();
    if (call?.fail(reason)) return;
    if (call) {
      call.log.error(
        `a promise that the handler did not await was rejected after the handler had returned: ${messageOf(reason)}`,
      );
    } else if (ended) ended(reason);
    else throw reason;
  };
  const onException = (error: unknown): void => {
    if (!calls.getStore()?.fail(error)) ended?.(error);
  };
  process.on('unhandledRejection', onRejection);
  if (ended) process.on('uncaughtException', onException);
  return {
    handler: (message, context) => {
      if (!(context instanceof HandlerCall)) return handler(message, context);
      // Within the call's context: a lazy query begins when it is waited for.
      return calls.run(context, () => promiseOf(handler(message, context))?.then(nextTurn));
    },
    stop: () => {
      process.off('unhandledRejection', onRejection);
      process.off('uncaughtException', onException);
    },
  };
}
