import type { StreamInfo } from 'nats';
import { DeliverPolicy } from 'nats';
import type { StreamFacts, Uncovered } from '../../ports/facts.js';
import { partitionOfSubject } from '../../protocol/layout.js';
import { toNatspocError } from '../client/outcome.js';
import { fetchMessages } from '../jetstream/fetch.js';
import { readMessage } from '../jetstream/read-message.js';
import type { Topology } from './topology.js';

/** If a stream has more subjects than this number, the list of its subjects is not requested. */
export const MOST_SUBJECTS = 10_000;

/** Minimum interval, in milliseconds, between two searches for messages that belong to no partition. */
const SEARCH_EVERY_MS = 30_000;

/** The parts of a topology that are used here. */
export type Looked = Pick<
  Topology,
  'connection' | 'manager' | 'inboxPrefix' | 'stream' | 'layout' | 'reads' | 'keyed'
>;

/**
 * Counts the messages that belong to no partition. No member ever receives them. In a stream with many subjects, only
 * messages outside the layout's wildcard are found. A keyed group has no such messages.
 *
 * @returns undefined if no messages lie outside the partitions, or if the stream changes too fast to count them.
 * @throws NatspocError if the stream cannot be read.
 */
export async function findUncovered(looked: Looked, timeoutMs: number): Promise<Uncovered | undefined> {
  const { manager, stream, keyed } = looked;
  if (keyed) return undefined;
  try {
    const { state } = await manager.streams.info(stream);
    if ((state.num_subjects ?? 0) > MOST_SUBJECTS) return await countOutside(looked, state, timeoutMs);
    const { state: listed } = await manager.streams.info(stream, { subjects_filter: '>' });
    return uncoveredOf(listed.subjects ?? {}, looked.layout);
  } catch (error) {
    throw toNatspocError(error, `read the state of stream ${stream}`);
  }
}

/** Searches for messages that belong to no partition, at most once per interval. */
export class UncoveredSearch {
  readonly #looked: Looked;
  readonly #timeoutMs: number;
  #last: { at: number; uncovered: Uncovered | undefined } | undefined;

  constructor(looked: Looked, timeoutMs: number) {
    this.#looked = looked;
    this.#timeoutMs = timeoutMs;
  }

  /** The messages last found. Skips the search if the partitions' counts add up to the stream's. */
  async of({ counts, messages }: Pick<StreamFacts, 'counts' | 'messages'>): Promise<Uncovered | undefined> {
    const covered = counts.reduce((sum, count) => sum + count, 0);
    if (this.#looked.keyed || covered >= messages) return undefined;
    const now = performance.now();
    if (!this.#last || now - this.#last.at > SEARCH_EVERY_MS)
      this.#last = { at: now, uncovered: await findUncovered(this.#looked, this.#timeoutMs) };
    return this.#last.uncovered;
  }
}

/** The messages that belong to no partition, from counts by subject. */
export function uncoveredOf(
  counts: Readonly<Record<string, number>>,
  layout: { prefix: string; partitions: number },
): Uncovered | undefined {
  let messages = 0;
  let example: string | null = null;
  for (const [subject, count] of Object.entries(counts)) {
    if (isCovered(subject, layout)) continue;
    messages += count;
    example ??= subject;
  }
  return messages > 0 ? { messages, example } : undefined;
}

const isCovered = (
  subject: string,
  { prefix, partitions }: { prefix: string; partitions: number },
): boolean => (partitionOfSubject(prefix, subject) ?? partitions) < partitions;

async function countOutside(
  looked: Looked,
  before: StreamInfo['state'],
  timeoutMs: number,
): Promise<Uncovered | undefined> {
  const { manager, stream, reads, layout } = looked;
  const { available } = await fetchMessages(looked, {
    stream,
    filter: reads.all,
    start: { deliver_policy: DeliverPolicy.All },
    limit: 0,
    timeoutMs,
  });
  const { state: after } = await manager.streams.info(stream);
  // Messages that were dropped between the requests would make the difference wrong.
  const dropped =
    after.first_seq !== before.first_seq || (after.num_deleted ?? 0) !== (before.num_deleted ?? 0);
  const messages = before.messages - available;
  if (dropped || messages <= 0) return undefined;
  for (const seq of [after.first_seq, after.last_seq]) {
    const subject = (await readMessage(looked, stream, { seq }))?.subject;
    if (subject !== undefined && !isCovered(subject, layout)) return { messages, example: subject };
  }
  return { messages, example: null };
}
