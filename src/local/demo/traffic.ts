import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NatspocError } from '../../core/lib/errors.js';
import type { HandledMessage, PublishedMessage } from './judge.js';

/** Timeout of the last messages, after the publisher has stopped. */
const CATCH_UP_TIMEOUT_MS = 30_000;
/** Timeout until the group continues after an election. An election takes 4 to 9 s. */
const ELECTION_TIMEOUT_MS = 60_000;

/** The messages that the publisher recorded as confirmed. */
export function readPublished(file: string): PublishedMessage[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PublishedMessage);
}

/**
 * Waits until every partition has handled a message with a sequence above `after`.
 *
 * @throws NatspocError `failed` after 60 s.
 */
export async function flowsAgain(
  handled: readonly HandledMessage[],
  { partitions, after, signal }: { partitions: number; after: number; signal: AbortSignal },
): Promise<void> {
  const flowing = new Set<number>();
  const deadline = performance.now() + ELECTION_TIMEOUT_MS;
  for (let looked = 0; flowing.size < partitions; ) {
    for (; looked < handled.length; looked++) {
      const { partition, sequence } = handled[looked] as HandledMessage;
      if (sequence > after) flowing.add(partition);
    }
    if (performance.now() > deadline) {
      throw new NatspocError('failed', 'The group did not continue in time after the server was killed.');
    }
    await sleep(50, undefined, { signal });
  }
}

/** Waits until every published message has been handled, or until the timeout. */
export async function caughtUp(
  published: readonly PublishedMessage[],
  handled: readonly HandledMessage[],
  signal: AbortSignal,
): Promise<void> {
  const missing = new Set(published.map((message) => message.sequence));
  let looked = 0;
  const deadline = performance.now() + CATCH_UP_TIMEOUT_MS;
  while (performance.now() < deadline) {
    for (; looked < handled.length; looked++) missing.delete(handled[looked]?.sequence ?? 0);
    if (missing.size === 0) return;
    await sleep(50, undefined, { signal });
  }
}
