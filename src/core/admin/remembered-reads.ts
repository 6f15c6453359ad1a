import type { StreamFacts, WaitingFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';

/** After this time, in milliseconds, a message is looked up again: the stream may have been restored from a copy. */
const LOOK_AGAIN_MS = 60_000;

/** A text that changes if a stream loses messages, or is created again. */
const lossesOf = ({ createdAtMs, lastSequence, messages }: StreamFacts): string =>
  `${createdAtMs} ${lastSequence - messages}`;

interface Counted {
  waiting: WaitingFacts;
  /** Number of the partition's messages in the stream, and {@link lossesOf} the stream, at the time of the count. */
  stored: number;
  losses: string;
  /** True if no message arrived during the count. */
  isExact: boolean;
}

/**
 * Earlier reads of one group that are still valid. While the position of a partition does not move, its waiting messages grow by the number
 * of its new messages. So a large group without members is counted only once.
 */
export class RememberedReads {
  readonly #counted = new Map<number, Counted>();
  readonly #stored = new Map<number, { at: number; time: Promise<number | undefined> }>();

  /** The messages that wait in a partition. `facts` must have been read before this call. */
  async waiting(
    observer: Pick<GroupObserver, 'waiting'>,
    facts: StreamFacts,
    partition: number,
    after: number,
  ): Promise<WaitingFacts> {
    const stored = facts.counts[partition];
    const losses = lossesOf(facts);
    const known = this.#counted.get(partition);
    if (stored !== undefined && known?.isExact && known.waiting.after === after && known.losses === losses) {
      const count = known.waiting.count + stored - known.stored;
      if (known.waiting.count > 0) return { ...known.waiting, count };
    }
    const waiting = await observer.waiting(partition, after);
    if (stored === undefined || waiting.isEstimate) this.#counted.delete(partition);
    else this.#counted.set(partition, { waiting, stored, losses, isExact: false });
    return waiting;
  }

  /** Call this after all partitions were counted. A count is exact if no message arrived or was lost meanwhile. */
  async settle(read: () => Promise<StreamFacts>): Promise<void> {
    this.#tidy();
    const fresh = [...this.#counted].filter(([, { isExact }]) => !isExact);
    if (fresh.length === 0) return;
    const facts = await read();
    const losses = lossesOf(facts);
    for (const [partition, counted] of fresh) {
      if (facts.counts[partition] === counted.stored && losses === counted.losses) counted.isExact = true;
      else this.#counted.delete(partition);
    }
  }

  /** When the message with this sequence was stored. */
  storedTime(observer: Pick<GroupObserver, 'storedTime'>, sequence: number): Promise<number | undefined> {
    const now = performance.now();
    const known = this.#stored.get(sequence);
    if (known && now - known.at < LOOK_AGAIN_MS) return known.time;
    const time = observer.storedTime(sequence);
    this.#stored.set(sequence, { at: now, time });
    return time;
  }

  /** Forgets reads that are too old to be used. */
  #tidy(): void {
    const now = performance.now();
    for (const [sequence, { at }] of this.#stored)
      if (now - at >= LOOK_AGAIN_MS) this.#stored.delete(sequence);
  }
}
