/**
 * The handler of members that handle batches. It records each message like a single call, so the judge can apply the rules of single calls.
 * If a batch stops early, `FailedAt` tells which messages were handled.
 */
import { setMaxListeners } from 'node:events';
import { type BatchHandler, FailedAt } from '../../../src/core/member/partition/handler.js';
import type { StreamMessage } from '../../../src/core/protocol/message.js';
import { handleOne, nextCall, plannedMs } from './handler.js';
import { monotonicUs } from './records.js';

/** After a longer delay the process was probably stopped. It may have lost its partition. */
const DELAY_US = 50_000;
/**
 * The longest batch. A batch ends before the message that would exceed it. Messages are committed only when their batch ends, and the judge
 * expects a commit soon after each message.
 */
const MOST_MS = 100;

export const batch = { messages: 32, waitMs: 20 };

/** The key of a message. In natspoc's own layout it is in the header. In a keyed run it is the second token of the subject. */
const keyOf = (message: StreamMessage): string | null =>
  message.headers()['Natspoc-Key'] ?? message.subject.split('.')[1] ?? null;

export const batchHandler: BatchHandler = async (messages, context) => {
  // Each message of the batch adds its listeners to this signal.
  setMaxListeners(0, context.signal);
  const begunAt = monotonicUs();
  let batch: number | null = null;
  for (const [index, message] of messages.entries()) {
    const startedAt = monotonicUs();
    const ms = plannedMs(message, keyOf(message));
    if (index > 0 && (startedAt - begunAt) / 1_000 + ms > MOST_MS)
      throw new FailedAt(index, new Error('the batch would take too long'));
    try {
      if (index > 0) context.signal.throwIfAborted();
      batch ??= nextCall();
      await handleOne(message, context, keyOf(message), batch);
    } catch (error) {
      throw new FailedAt(index, error);
    }
    const isLate = monotonicUs() - startedAt > ms * 1_000 + DELAY_US;
    if (isLate && index + 1 < messages.length)
      throw new FailedAt(index + 1, new Error('the process was stopped'));
  }
};
