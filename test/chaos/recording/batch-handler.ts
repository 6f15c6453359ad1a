/**
 * The handler of members that handle batches. The handler records the messages of a batch one after the other, like single calls. The judge
 * can therefore apply the rules of single calls. A batch that stops early reports with `FailedAt` which messages it has handled.
 */
import { setMaxListeners } from 'node:events';
import { type BatchHandler, FailedAt } from '../../../src/core/member/partition/handler.js';
import type { StreamMessage } from '../../../src/core/protocol/message.js';
import { handleOne, plannedMs } from './handler.js';
import { monotonicUs } from './records.js';

/** A longer delay than this, in microseconds, probably means that the process was stopped and may have lost its partition. */
const DELAY_US = 50_000;
/**
 * Upper bound on the duration of a batch, in milliseconds: a batch ends before the message that would exceed it. The messages of a batch
 * are committed only when the batch ends, and the judge expects a commit soon after each message.
 */
const MOST_MS = 100;

export const batch = { messages: 32, waitMs: 20 };

/** The key of a message: from the header of natspoc's own layout, or in a keyed run from the second token of the subject. */
const keyOf = (message: StreamMessage): string | null =>
  message.headers()['Natspoc-Key'] ?? message.subject.split('.')[1] ?? null;

export const batchHandler: BatchHandler = async (messages, context) => {
  // Each message of the batch adds listeners to the signal of the batch.
  setMaxListeners(0, context.signal);
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
      throw new FailedAt(index + 1, new Error('the process was stopped'));
  }
};
