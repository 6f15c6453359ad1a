import { systemClock } from '../../core/lib/clock.js';
import { promiseOf } from '../../core/lib/promise-of.js';
import type { BatchContext, Handler, InBatches } from '../../core/member/partition/handler.js';
import type { StreamMessage } from '../../core/protocol/message.js';
import type { LineWriter } from './line-writer.js';
import { LINES, type Output } from './outputs.js';

/** Simulates work on each message by a wait. */
export function pretendToWork(ms: number): Handler {
  return (_message, { signal }) =>
    new Promise<void>((resolve, reject) => {
      const done = (): void => {
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const cancel = systemClock.at(systemClock.now() + ms, done);
      const stop = (): void => {
        cancel();
        reject(signal.reason);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
}

/** Writes the line of a message. The next message waits for a returned promise. */
type WriteLine = (message: StreamMessage, context: BatchContext) => Promise<void> | undefined;

/** Writes a line for each message; undefined if the output is `none`. */
export function writeLines(output: Output, writer: LineWriter): WriteLine | undefined {
  const toLine = LINES[output];
  return toLine && ((message, context) => writer.write(toLine(message, context)));
}

/** Writes the lines of a batch after the handler has handled the batch. */
export function withLines({ handler, limits }: InBatches, write: WriteLine | undefined): InBatches {
  if (!write) return { handler, limits };
  return {
    limits,
    handler: async (messages, context) => {
      await handler(messages, context);
      for (const message of messages) await write(message, context);
    },
  };
}

/** One handler that runs the steps in order. It returns a promise only if a step does. */
export function inSteps(steps: readonly Handler[]): Handler {
  const [first, ...rest] = steps;
  if (!first) return () => {};
  if (rest.length === 0) return first;
  const then = inSteps(rest);
  return (message, context) => {
    const running = promiseOf(first(message, context));
    return running ? running.then(() => then(message, context)) : then(message, context);
  };
}
