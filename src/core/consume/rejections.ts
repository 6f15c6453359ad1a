import { AsyncLocalStorage } from 'node:async_hooks';
import { messageOf } from '../errors.js';
import { HandlerCall } from './call.js';
import { type Handler, promiseOf } from './handler.js';

/** Lets the runtime look at the promises that a handler has left behind. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A handler whose lost promises are its own failure, and not the end of the process. */
export interface GuardedHandler {
  handler: Handler;
  /** Gives the process its own ways back. */
  stop(): void;
}

/**
 * Wraps a handler so that a promise that it forgot, and that is rejected while the message is in hand, is that
 * message's failure. A later one is only reported: the message counts as handled already.
 *
 * Listens to the process's unhandled rejections; those of others end the process as they do without it.
 * Tracking which call a promise belongs to costs some speed, so this is for handlers that are not ours.
 */
export function guardRejections(handler: Handler): GuardedHandler {
  const calls = new AsyncLocalStorage<HandlerCall>();
  const onRejection = (reason: unknown): void => {
    const call = calls.getStore();
    if (!call) throw reason;
    if (call.fail(reason)) return;
    call.log.error(
      `a promise that the handler did not wait for was rejected after it had returned: ${messageOf(reason)}`,
    );
  };
  process.on('unhandledRejection', onRejection);
  return {
    handler: (message, context) => {
      if (!(context instanceof HandlerCall)) return handler(message, context);
      // Within the call's context: a lazy query begins when it is waited for.
      return calls.run(context, () => promiseOf(handler(message, context))?.then(nextTurn));
    },
    stop: () => process.off('unhandledRejection', onRejection),
  };
}
