import type { StreamMessage } from '../../protocol/message.js';

/** A message of a partition that is not dealt with yet, and its place among the others. */
export class Entry {
  readonly message: StreamMessage;
  readonly lane: string | null;
  attempt = 1;
  /** Counts against the quota already. */
  admitted = false;
  done = false;
  /** The next message of the partition. */
  later: Entry | undefined;
  /** The next message of the same lane. */
  behind: Entry | undefined;

  constructor(message: StreamMessage, lane: string | null) {
    this.message = message;
    this.lane = lane;
  }
}

/** How far a partition has come. */
export interface Advance {
  /** Everything up to and including this message is dealt with. */
  message: StreamMessage;
  messages: number;
}

/**
 * The waiting messages of a partition: which may be handled next, and up to where everything is dealt with.
 * With a concurrency of 1 there is one lane; above, each key has its own (messages without a key share one).
 * Linked lists, so that nothing is moved when something is done.
 */
export class KeyQueues {
  readonly #byKey: boolean;
  /** The last entry of each lane that has any. */
  readonly #tails = new Map<string | null, Entry>();
  #ready: Entry[] = [];
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #size = 0;

  constructor(concurrency: number) {
    this.#byKey = concurrency > 1;
  }

  /** Messages that are not handled yet, or follow one that is not; including running ones. */
  get size(): number {
    return this.#size;
  }

  /** True when some message may be taken up now. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Adds the next message of the partition. */
  add(message: StreamMessage): Entry {
    const entry = new Entry(message, this.#byKey ? message.key : null);
    if (this.#newest) this.#newest.later = entry;
    else this.#oldest = entry;
    this.#newest = entry;
    this.#size++;
    const tail = this.#tails.get(entry.lane);
    if (tail) tail.behind = entry;
    else this.#ready.push(entry);
    this.#tails.set(entry.lane, entry);
    return entry;
  }

  /** The next entry that may be handled, without taking it. */
  peek(): Entry | undefined {
    return this.#ready[0];
  }

  /** Takes what {@link peek} shows; its lane rests until it is done or put back. */
  take(): Entry | undefined {
    return this.#ready.shift();
  }

  /** An entry that was taken is to be handled again, before others. */
  putBack(entry: Entry): void {
    this.#ready.unshift(entry);
  }

  /** An entry is dealt with: the next of its lane is ready. Says how far the partition has come, if it has. */
  complete(entry: Entry): Advance | undefined {
    entry.done = true;
    if (entry.behind) this.#ready.push(entry.behind);
    else this.#tails.delete(entry.lane);
    if (entry !== this.#oldest) return undefined;
    const advance: Advance = { message: entry.message, messages: 0 };
    for (let next: Entry | undefined = entry; next?.done; next = next.later) {
      advance.message = next.message;
      advance.messages++;
      this.#oldest = next.later;
    }
    if (!this.#oldest) this.#newest = undefined;
    this.#size -= advance.messages;
    return advance;
  }
}
