/**
 * The handler of members that handle batches. It records the messages of a batch one after the other, as if each were a call of its own, so
 * the judge applies the rules of single calls. A batch that stops early says with `FailedAt` which messages it has handled.
 */
import { type BatchHandler, FailedAt } from '../../../src/core/member/partition/handler.js';
import type { StreamMessage } from '../../../src/core/protocol/message.js';
import { handleOne, plannedMs } from './handler.js';
import { monotonicUs } from './records.js';

/** After a longer delay than this the process was probably stopped, and may have lost its partition, in microseconds. */
const DELAY_US = 50_000;
/**
 * A batch ends before a message with which it would take longer, in milliseconds. Its messages are committed only when the batch ends, and
 * the judge expects a commit soon after each message.
 */
const MOST_MS = 100;

export const batch = { messages: 32, waitMs: 20 };

/** The key of a message: the header of natspoc's own layout, or the token that the key `subject:2` of a keyed run takes. */
const keyOf = (message: StreamMessage): string | null =>
  message.headers()['Natspoc-Key'] ?? message.subject.split('.')[1] ?? null;

export const batchHandler: BatchHandler = async (messages, context) => {
  const begunAt = monotonicUs();
  for (const [index, message] of messages.entries()) {
    const startedAt = monotonicUs();
    const ms = plannedMs(message, keyOf(message));
    if (index > 0 && (startedAt - begunAt) / 1_000 + ms > MOST_MS)
      throw new FailedAt(index, new Error('the batch would take too long'));
    try {
      if (index > 0) context.signal.throwIfAborted();
      await handleOne(message, context, keyOf(message));
    } catch (error) {
      throw new FailedAt(index, error);
    }
    const isLate = monotonicUs() - startedAt > ms * 1_000 + DELAY_US;
    if (isLate && index + 1 < messages.length)
      throw new FailedAt(index + 1, new Error('the process stood still'));
  }
};
