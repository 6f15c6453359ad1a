import { systemClock } from '../../core/lib/clock.js';
import { promiseOf } from '../../core/lib/promise-of.js';
import type { Handler } from '../../core/member/partition/handler.js';
import type { LineWriter } from './line-writer.js';
import { LINES, type Output } from './outputs.js';

/** Pretends to work on each message: a wait that ends early, with an error, when the handler has to stop. */
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

/** Writes a line for each message; undefined where the output has none. */
export function writeLines(output: Output, writer: LineWriter): Handler | undefined {
  const toLine = LINES[output];
  return toLine && ((message, context) => writer.write(toLine(message, context)));
}

/** One handler that takes these steps one after the other. As long as no step waits, nothing does. */
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
