import type { EventStream } from '../ports.js';

/**
 * Messages that the stream dropped (by its limits, or a purge) before this group handled them: those of one
 * partition among the sequences `from` to `to`, both included.
 */
export interface Trimmed {
  from: number;
  to: number;
  /** No more than this many; exact where the stream has a single partition. */
  atMost: number;
}

/**
 * What was dropped behind `position`, the last sequence that was handled or received.
 *
 * @param waiting how many messages waited for this reader when the server last said so
 * @returns undefined where nothing is missing, or the stream did not answer.
 */
export async function trimmedAfter(
  position: number,
  waiting: number,
  stream: Pick<EventStream, 'bounds'>,
): Promise<Trimmed | undefined> {
  const bounds = await stream.bounds();
  if (bounds.kind !== 'ok' || bounds.first <= position + 1) return undefined;
  const [from, to] = [position + 1, bounds.first - 1];
  return { from, to, atMost: Math.min(to - position, waiting) };
}
