import { KEY_HEADER } from '../../../src/core/protocol/layout.js';
import type { Cursor, Message } from './consumers.js';

/** Messages have 1 to 4 bytes. */
const PAYLOADS = [1, 2, 3, 4].map((bytes) => new Uint8Array(bytes));

/** A stored message, and whether it was handled. */
export interface Stored {
  readonly sequence: number;
  /** The hash of the key. The message's subject contains it. */
  readonly slot: number;
  /** The partition of the message. If the message was handled before a resize, it is -1 afterwards. */
  partition: number;
  /** When the message was stored, in milliseconds of true time. */
  readonly at: number;
  index: number;
  readonly key: string | null;
  before: Stored | undefined;
  /** True if a member handled the message successfully, or skipped it by policy. */
  done: boolean;
  /** The epoch under which the message was last handled successfully. */
  handledUnder: number | undefined;
}

/** The partitioned stream. */
export class EventLog {
  partitions: readonly Stored[][];
  #first: number[];
  readonly #all: Stored[] = [];
  readonly #now: () => number;
  #newest: Map<string | null, Stored>[];
  #followers: Set<() => void>[];
  /**
   * False for nats-server before 2.9.15. Its count of waiting messages stays the same if some of them are dropped. This concerns messages
   * that were stored before the consumer was created or last described.
   */
  countsDrops = true;
  /** The stream drops messages of this age. */
  maxAgeMs: number | undefined;
  /** True after a resize. Then no more messages are dropped. */
  #isResized = false;

  constructor(partitions: number, now: () => number) {
    this.#now = now;
    this.partitions = Array.from({ length: partitions }, () => []);
    this.#first = Array.from({ length: partitions }, () => 0);
    this.#newest = Array.from({ length: partitions }, () => new Map());
    this.#followers = Array.from({ length: partitions }, () => new Set());
  }

  /** The sequence of the newest message. 0 if there is none. */
  get last(): number {
    return this.#all.length;
  }

  /** Opens a consumer of one partition, from a sequence on. `ready` is called for each stored message. */
  open(partition: number, startSequence: number, ready: () => void): Cursor {
    const messages = this.of(partition);
    let next = this.firstAfter(partition, startSequence - 1)?.index ?? messages.length;
    const skip = (): number => {
      const first = this.#first[partition] ?? 0;
      if (first > next) uncounted += this.#uncounted(messages.slice(next, first), known);
      next = Math.max(next, first);
      return next;
    };
    let uncounted = 0;
    let known = this.last;
    next = Math.max(next, this.#first[partition] ?? 0);
    this.#followers[partition]?.add(ready);
    return {
      get pending() {
        return messages.length - skip() + uncounted;
      },
      next: () => {
        const stored = messages[skip()];
        if (stored) next++;
        return stored && asMessage(stored);
      },
      recount: () => {
        skip();
        uncounted = 0;
        known = this.last;
      },
      close: () => this.#followers[partition]?.delete(ready),
    };
  }

  openAll(startSequence: number, ready: () => void): Cursor {
    let next = startSequence;
    let left = this.#storedFrom(next);
    let known = this.last;
    const stored = (): Stored | undefined => {
      for (let message = this.message(next); message; message = this.message(++next))
        if (!this.isDropped(message)) return message;
      return undefined;
    };
    for (const followers of this.#followers) followers.add(ready);
    const waiting = (): number => {
      if (this.countsDrops) return this.#storedFrom(next);
      const later = Math.max(next, known + 1);
      return Math.max(left, 0) + this.#storedFrom(later);
    };
    return {
      get pending() {
        return waiting();
      },
      next: () => {
        const message = stored();
        if (message) next++;
        if (message && message.sequence <= known) left--;
        return message && asMessage(message);
      },
      recount: () => {
        left = this.#storedFrom(next);
        known = this.last;
      },
      close: () => {
        for (const followers of this.#followers) followers.delete(ready);
      },
    };
  }

  /**
   * How many dropped messages the server still counts for a consumer. `known` was the stream's last sequence at the consumer's last count.
   */
  #uncounted(dropped: readonly Stored[], known: number): number {
    return this.countsDrops ? 0 : dropped.filter(({ sequence }) => sequence <= known).length;
  }

  #storedFrom(sequence: number): number {
    if (this.#isResized) return Math.max(0, this.last - sequence + 1);
    let count = 0;
    for (const [partition, messages] of this.partitions.entries()) {
      const index = this.firstAfter(partition, sequence - 1)?.index ?? messages.length;
      count += messages.length - Math.max(index, this.#first[partition] ?? 0);
    }
    return count;
  }

  message(sequence: number): Stored | undefined {
    return this.#all[sequence - 1];
  }

  newest(partition?: number): Stored | undefined {
    const messages = partition === undefined ? this.#all : this.of(partition);
    return messages.findLast((message) => !this.isDropped(message));
  }

  of(partition: number): readonly Stored[] {
    return this.partitions[partition] ?? [];
  }

  firstAfter(partition: number, sequence: number): Stored | undefined {
    const messages = this.of(partition);
    let low = 0;
    let high = messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((messages[middle]?.sequence ?? 0) <= sequence) low = middle + 1;
      else high = middle;
    }
    return messages[low];
  }

  /** Drops the messages of a partition up to and including a sequence. Returns them. */
  drop(partition: number, upTo: number): readonly Stored[] {
    const messages = this.of(partition);
    const from = this.#first[partition] ?? 0;
    const end = Math.max(from, this.firstAfter(partition, upTo)?.index ?? messages.length);
    this.#first[partition] = end;
    return messages.slice(from, end);
  }

  isDropped({ partition, index }: Stored): boolean {
    return index < (this.#first[partition] ?? 0);
  }

  /**
   * `first` is the oldest stored sequence. If nothing is stored, it is one more than the last sequence. `missing` counts the dropped
   * messages after `first`.
   */
  get bounds(): { first: number; missing: number } {
    if (this.#isResized) return { first: 1, missing: 0 };
    let first = this.last + 1;
    let stored = 0;
    for (const [partition, messages] of this.partitions.entries()) {
      const at = this.#first[partition] ?? 0;
      first = Math.min(first, messages[at]?.sequence ?? first);
      stored += messages.length - at;
    }
    return { first, missing: this.last + 1 - first - stored };
  }

  /** True if no stored message of the partition is between a sequence and a message. */
  isNext(after: number, message: Stored): boolean {
    const next = this.firstAfter(message.partition, after);
    if (!next || next.index > message.index) return false;
    return next === message || message.index <= (this.#first[message.partition] ?? 0);
  }

  /**
   * Divides the messages into another number of partitions. A message's partition is its slot modulo this number. Handled messages no
   * longer belong to a partition.
   */
  repartition(partitions: number, isHandled: (message: Stored) => boolean): void {
    this.#isResized = true;
    const followers = new Set(this.#followers.flatMap((each) => [...each]));
    this.partitions = Array.from({ length: partitions }, () => []);
    this.#first = this.partitions.map(() => 0);
    this.#newest = this.partitions.map(() => new Map());
    this.#followers = this.partitions.map(() => followers);
    for (const message of this.#all) {
      message.partition = isHandled(message) ? -1 : message.slot % partitions;
      if (message.partition >= 0) this.#place(message);
    }
  }

  #place(message: Stored): void {
    const { partition, key } = message;
    const messages = this.partitions[partition];
    const newest = this.#newest[partition];
    if (!messages || !newest) return;
    message.index = messages.length;
    message.before = newest.get(key);
    messages.push(message);
    newest.set(key, message);
  }

  append(slot: number, key: string | null = null): void {
    const partition = slot % this.partitions.length;
    const stored: Stored = {
      sequence: this.#all.length + 1,
      slot,
      partition,
      at: this.#now(),
      index: 0,
      key,
      before: undefined,
      done: false,
      handledUnder: undefined,
    };
    this.#all.push(stored);
    this.#place(stored);
    for (const ready of this.#followers[partition] ?? []) ready();
  }
}

function asMessage({ slot, sequence, key }: Stored): Message {
  return {
    subject: `events.p.${slot}`,
    sequence,
    data: PAYLOADS[sequence % PAYLOADS.length] ?? new Uint8Array(1),
    header: key === null ? undefined : (name) => (name === KEY_HEADER ? key : ''),
  };
}
