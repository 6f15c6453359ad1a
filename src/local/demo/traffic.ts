import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NatspocError } from '../../core/lib/errors.js';
import type { HandledMessage, PublishedMessage } from './judge.js';

/** How long consumers may take to handle what is left after the publisher has stopped. */
const CATCH_UP_TIMEOUT_MS = 30_000;
/** How long a cluster may take to elect new leaders and the group to go on. nats-server elects after 4 to 9 s. */
const ELECTION_TIMEOUT_MS = 60_000;

/** What the publisher says that was confirmed. */
export function readPublished(file: string): PublishedMessage[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PublishedMessage);
}

/**
 * Waits until messages behind a sequence were handled in every partition.
 *
 * @throws NatspocError `failed` where that takes longer than any election.
 */
export async function flowsAgain(
  handled: readonly HandledMessage[],
  { partitions, after, signal }: { partitions: number; after: number; signal: AbortSignal },
): Promise<void> {
  const flowing = new Set<number>();
  const deadline = performance.now() + ELECTION_TIMEOUT_MS;
  for (let looked = 0; flowing.size < partitions; ) {
    for (; looked < handled.length; looked++) {
      const { partition, seq } = handled[looked] as HandledMessage;
      if (seq > after) flowing.add(partition);
    }
    if (performance.now() > deadline) throw new NatspocError('failed', 'The cluster did not go on in time.');
    await sleep(50, undefined, { signal });
  }
}

/** Waits until every published message was handled, or until nothing more comes. */
export async function caughtUp(
  published: readonly PublishedMessage[],
  handled: readonly HandledMessage[],
  signal: AbortSignal,
): Promise<void> {
  const missing = new Set(published.map((message) => message.seq));
  let looked = 0;
  const deadline = performance.now() + CATCH_UP_TIMEOUT_MS;
  while (performance.now() < deadline) {
    for (; looked < handled.length; looked++) missing.delete(handled[looked]?.seq ?? 0);
    if (missing.size === 0) return;
    await sleep(50, undefined, { signal });
  }
}
