import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import type { Timeline } from '../../../src/core/testing/timeline.js';
import type { Cluster } from './cluster.js';
import type { Cursor, Message } from './consumers.js';
import type { Random } from './random.js';
import type { Store } from './store.js';

/** A snapshot has at most this many parts. Two parts are at most `PART_MS` milliseconds apart. */
const MOST_PARTS = 3;
const PART_MS = 5;
const NO_DATA = new Uint8Array(0);

/** The faults of a member's watch. */
export interface WatchFaults {
  /** Updates are delayed by up to this time, and arrive together. */
  delayMs: number;
  /** Probability that the server omits an entry from a snapshot. Its counts still include the entry. */
  hole: number;
  /** Probability that the server omits a change. */
  lostChange: number;
  /** True if the server creates no consumer for the watch, because the limit is reached. */
  isRefused: boolean;
}

/** The settings of a watch without faults. */
export const noWatchFaults = (): WatchFaults => ({ delayMs: 0, hole: 0, lostChange: 0, isRefused: false });

/** What the cursor of a watch uses of the simulation. */
export interface WatchCursorPorts {
  timeline: Timeline;
  random: Random;
  store: Store;
  cluster: Cluster;
  at: number;
  faults: WatchFaults;
}

/** Reads the entries for a watch: first, in parts, the newest entry of each key that has the prefix, then each change in order. */
export class WatchCursor implements Cursor {
  readonly #ports: WatchCursorPorts;
  readonly #subject: string;
  readonly #ready: () => void;
  readonly #unfollow: () => void;
  #parts: BucketEntry[][] = [];
  #waiting: BucketEntry[] = [];
  #due: BucketEntry[] = [];
  #busy = false;
  /** The number of entries that the server counts, but never delivers. */
  #lost = 0;

  constructor(ports: WatchCursorPorts, subject: string, prefix: string, ready: () => void) {
    this.#ports = ports;
    this.#subject = subject;
    this.#ready = ready;
    this.#split(ports.store.below(prefix));
    this.#unfollow = ports.store.observe((entry) => {
      if (entry.key.startsWith(prefix)) this.#add(entry);
    });
    this.#prepare();
  }

  get pending(): number {
    const parts = this.#parts.reduce((sum, part) => sum + part.length, 0);
    return this.#due.length + parts + this.#waiting.length + this.#lost;
  }

  next(): Message | undefined {
    const entry = this.#due.shift();
    return entry && asMessage(this.#subject, entry);
  }

  close(): void {
    this.#unfollow();
  }

  #split(entries: BucketEntry[]): void {
    const { random, faults } = this.#ports;
    if (entries.length > 0 && faults.hole > 0 && random.chance(faults.hole)) {
      entries.splice(random.int(0, entries.length - 1), 1);
      this.#lost++;
    }
    const size = Math.max(1, Math.ceil(entries.length / random.int(1, MOST_PARTS)));
    while (entries.length > 0) this.#parts.push(entries.splice(0, size));
  }

  #add(entry: BucketEntry): void {
    const { random, faults } = this.#ports;
    if (faults.lostChange > 0 && random.chance(faults.lostChange)) {
      this.#lost++;
      return;
    }
    this.#waiting.push(entry);
    this.#prepare();
  }

  /** After a delay, makes the next part of the snapshot ready, or the next changes. */
  #prepare(): void {
    if (this.#busy || this.#parts.length + this.#waiting.length === 0) return;
    const { timeline, random, cluster, at, faults } = this.#ports;
    if (!cluster.isCurrent(at)) {
      this.#busy = true;
      cluster.whenWhole(() => {
        this.#busy = false;
        this.#prepare();
      });
      return;
    }
    const delayMs = faults.delayMs > 0 ? faults.delayMs : this.#parts.length > 0 ? PART_MS : 0;
    if (delayMs === 0) {
      this.#release();
      return;
    }
    this.#busy = true;
    timeline.after(random.between(0, delayMs), () => {
      this.#busy = false;
      this.#release();
      this.#prepare();
    });
  }

  #release(): void {
    const part = this.#parts.shift();
    this.#due.push(...(part ?? this.#waiting));
    if (!part) this.#waiting = [];
    this.#ready();
  }
}

function asMessage(subject: string, { key, revision, value }: BucketEntry): Message {
  return {
    subject: `${subject}${key}`,
    sequence: revision,
    data: value ?? NO_DATA,
    header: value === null ? (name) => (name === 'KV-Operation' ? 'DEL' : '') : undefined,
  };
}
