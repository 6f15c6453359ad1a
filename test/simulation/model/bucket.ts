import type {
  Bucket,
  BucketEntry,
  ReadOutcome,
  Watch,
  WatchSink,
  WriteOutcome,
} from '../../../src/core/ports.js';
import type { Connection } from './connection.js';
import type { Random } from './random.js';
import { request } from './request.js';
import type { Store } from './store.js';
import type { Timeline } from './timeline.js';
import { SimWatch, type WatchFaults } from './watch.js';

const UNKNOWN = { kind: 'unknown' } as const;
const CONFLICT = { kind: 'conflict' } as const;

/** What goes wrong with one member's writes; probabilities from 0 to 1. */
export interface WriteFaults {
  /** Writes get nowhere. */
  blocked: boolean;
  /** The write is applied, the answer lost. */
  loseAnswer: number;
  /** Writes are applied late by up to `delayMs`, also after the asker has given up. */
  delay: number;
  delayMs: number;
  /** Writes are applied at once and answered late by up to `delayMs`. */
  slowAnswer: number;
  /** "Wrong last sequence" though the sequence was right; half of these are applied nevertheless. */
  conflict: number;
}

/** A member whose writes work. */
const noWriteFaults = (): WriteFaults => ({
  blocked: false,
  loseAnswer: 0,
  delay: 0,
  delayMs: 0,
  slowAnswer: 0,
  conflict: 0,
});

/** The bucket as one member reaches it. */
export class SimBucket implements Bucket {
  readonly faults = noWriteFaults();
  readonly watchFaults: WatchFaults = { delayMs: 0, hole: 0 };
  readonly watches: SimWatch[] = [];
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #store: Store;
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #writer: string;
  readonly #sending: (key: string, value: Uint8Array) => void;

  /** `sending` hears of each write right when it is sent. */
  constructor(
    at: { timeline: Timeline; random: Random; store: Store; connection: Connection },
    timeoutMs: number,
    writer: string,
    sending: (key: string, value: Uint8Array) => void,
  ) {
    this.#timeline = at.timeline;
    this.#random = at.random;
    this.#store = at.store;
    this.#connection = at.connection;
    this.#timeoutMs = timeoutMs;
    this.#writer = writer;
    this.#sending = sending;
  }

  read(key: string): Promise<ReadOutcome> {
    return request<ReadOutcome>(
      this.#connection,
      this.#timeoutMs,
      (_side, answer) => {
        const entry = this.#store.get(key);
        answer(entry ? { kind: 'found', entry } : { kind: 'missing' });
      },
      UNKNOWN,
    );
  }

  write(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteOutcome> {
    this.#sending(key, value);
    return this.#write(key, value, expectedRevision);
  }

  remove(key: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#write(key, null, expectedRevision);
  }

  watch(prefix: string, sink: WatchSink): Watch {
    const { process } = this.#connection;
    const watch = new SimWatch(
      {
        timeline: this.#timeline,
        random: this.#random,
        store: this.#store,
        connection: this.#connection,
        process,
      },
      prefix,
      sink,
      this.watchFaults,
    );
    this.watches.push(watch);
    return watch;
  }

  #write(key: string, value: BucketEntry['value'], expected: number): Promise<WriteOutcome> {
    return request<WriteOutcome>(
      this.#connection,
      this.#timeoutMs,
      (_side, answer) => {
        const { faults } = this;
        if (faults.blocked) return;
        if (faults.delay > 0 && this.#random.chance(faults.delay)) {
          this.#timeline.after(this.#random.between(0, faults.delayMs), () =>
            answer(this.#apply(key, value, expected)),
          );
          return;
        }
        if (faults.conflict > 0 && this.#random.chance(faults.conflict)) {
          if (this.#random.chance(0.5)) this.#apply(key, value, expected);
          answer(CONFLICT);
          return;
        }
        const outcome = this.#apply(key, value, expected);
        if (faults.loseAnswer > 0 && this.#random.chance(faults.loseAnswer)) return;
        if (faults.slowAnswer > 0 && this.#random.chance(faults.slowAnswer)) {
          this.#timeline.after(this.#random.between(0, faults.delayMs), () => answer(outcome));
        } else answer(outcome);
      },
      UNKNOWN,
    );
  }

  #apply(key: string, value: BucketEntry['value'], expected: number): WriteOutcome {
    const revision = this.#store.write(key, value, expected, this.#writer);
    return revision === undefined ? CONFLICT : { kind: 'ok', revision };
  }
}
