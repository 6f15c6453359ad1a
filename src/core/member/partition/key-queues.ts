import type { StreamMessage } from '../../protocol/message.js';

/** A message of a partition that is not settled yet. */
export class Entry {
  readonly message: StreamMessage;
  /**
   * The key whose queue holds the message; null for the common queue. The common queue holds the messages without a key, or all messages if
   * the concurrency is 1.
   */
  readonly queue: string | null;
  attempt = 1;
  /** True if the message already counts against the quota. */
  admitted = false;
  done = false;
  /** The entry of the partition's next message. */
  later: Entry | undefined;
  /** The entry of the next message in the same queue. */
  behind: Entry | undefined;

  constructor(message: StreamMessage, queue: string | null) {
    this.message = message;
    this.queue = queue;
  }
}

/** The progress of a partition. */
export interface Advance {
  /** Everything up to this message is settled. */
  message: StreamMessage;
  messages: number;
}

/**
 * The waiting messages of a partition. Shows which messages may be handled next, and up to which message all messages are settled. With a
 * concurrency of 1 there is one queue. With a higher concurrency, each key has its own queue, and messages without a key share a queue.
 */
export class KeyQueues {
  readonly #byKey: boolean;
  /** The last entry of each queue that has entries. */
  readonly #tails = new Map<string | null, Entry>();
  #ready: Entry[] = [];
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #size = 0;

  constructor(concurrency: number) {
    this.#byKey = concurrency > 1;
  }

  /** Number of messages that are not settled, or that follow an unsettled message. Messages whose handlers are running are included. */
  get size(): number {
    return this.#size;
  }

  /** The first message that is not settled; undefined if there is none. */
  get oldest(): StreamMessage | undefined {
    return this.#oldest?.message;
  }

  /** True if a message may be handled now. */
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
    const tail = this.#tails.get(entry.queue);
    if (tail) tail.behind = entry;
    else this.#ready.push(entry);
    this.#tails.set(entry.queue, entry);
    return entry;
  }

  /** The next entry that may be handled. */
  peek(): Entry | undefined {
    return this.#ready[0];
  }

  /** The entry with the lowest sequence among those that may be handled. */
  peekFirst(): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#ready)
      if (!first || entry.message.sequence < first.message.sequence) first = entry;
    return first;
  }

  /** The oldest unsettled entry of the partition; undefined if this entry must not be handled now. */
  peekOldest(): Entry | undefined {
    const oldest = this.#oldest;
    return oldest && this.#ready.includes(oldest) ? oldest : undefined;
  }

  /** Takes an entry that may be handled. Its queue is blocked until the entry is settled or put back. */
  take(entry: Entry): void {
    if (this.#ready[0] === entry) this.#ready.shift();
    else this.#ready = this.#ready.filter((other) => other !== entry);
  }

  /** Puts a taken entry back, in front of all other entries. */
  putBack(entry: Entry): void {
    this.#ready.unshift(entry);
  }

  /**
   * Settles a taken entry, which unblocks its queue. Returns the progress of the partition, if any.
   *
   * @param last an entry of the same queue: all entries from `entry` to `last` are settled.
   */
  complete(entry: Entry, last: Entry = entry): Advance | undefined {
    for (let next: Entry | undefined = entry; next && next !== last; next = next.behind) next.done = true;
    last.done = true;
    if (last.behind) this.#ready.push(last.behind);
    else this.#tails.delete(last.queue);
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
