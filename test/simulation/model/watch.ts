import type { BucketEntry, Watch, WatchSink } from '../../../src/core/ports.js';
import type { Connection, Side } from './connection.js';
import type { Process } from './process.js';
import type { Random } from './random.js';
import { request } from './request.js';
import type { Feed, Store } from './store.js';
import type { Timeline } from './timeline.js';

const OPEN_TIMEOUT_MS = 5_000;
const RETRY_MS = 250;

/** What goes wrong with a watch: updates come late by up to this much, several at once. */
export interface WatchFaults {
  delayMs: number;
}

/** What a watch works with. */
export interface WatchPorts {
  timeline: Timeline;
  random: Random;
  store: Store;
  connection: Connection;
  process: Process;
}

/** A watch as the real one behaves: a snapshot, changes in order, and after any fault a new snapshot. */
export class SimWatch implements Watch {
  readonly #ports: WatchPorts;
  readonly #prefix: string;
  readonly #sink: WatchSink;
  readonly #faults: WatchFaults;
  #feed: ServerFeed | undefined;
  #generation = 0;
  #opening = false;
  /** A snapshot has arrived since the last fault. */
  #delivers = false;
  #stopped = false;

  constructor(ports: WatchPorts, prefix: string, sink: WatchSink, faults: WatchFaults) {
    this.#ports = ports;
    this.#prefix = prefix;
    this.#sink = sink;
    this.#faults = faults;
    const fail = () => this.#reopen();
    ports.connection.listen({ reconnected: fail, silent: fail });
    void this.#open();
  }

  /** Everything that the server has for it has arrived. */
  get isCurrent(): boolean {
    return this.#delivers && this.#feed?.isIdle === true;
  }

  stop(): void {
    this.#stopped = true;
    this.#generation++;
    if (this.#feed) this.#ports.store.unfollow(this.#feed);
  }

  /** The server sends nothing more; the member notices after `noticeMs`. */
  silence(noticeMs: number): void {
    const { process } = this.#ports;
    const feed = this.#feed;
    if (!feed) return;
    feed.muted = true;
    process.clock.at(process.clock.now() + noticeMs, () => {
      if (this.#feed === feed) this.#reopen();
    });
  }

  #reopen(): void {
    if (this.#stopped) return;
    this.#delivers = false;
    this.#generation++;
    const { clock } = this.#ports.process;
    clock.at(clock.now() + RETRY_MS, () => void this.#open());
  }

  async #open(): Promise<void> {
    if (this.#opening || this.#stopped) return;
    this.#opening = true;
    const generation = ++this.#generation;
    const { connection, store } = this.#ports;
    const entries = await request<BucketEntry[] | undefined>(
      connection,
      OPEN_TIMEOUT_MS,
      (side, answer) => {
        if (this.#feed) store.unfollow(this.#feed);
        const feed = new ServerFeed(this.#ports, side, this.#prefix, this.#faults, (changes) => {
          if (generation === this.#generation) this.#sink.changes(changes);
        });
        this.#feed = feed;
        feed.snapshot(store.below(this.#prefix), answer);
      },
      undefined,
    );
    this.#opening = false;
    if (this.#stopped) return;
    if (!entries || generation !== this.#generation) this.#reopen();
    else {
      this.#delivers = true;
      this.#sink.snapshot(entries);
    }
  }
}

/** The server's side of a watch: collects changes and sends them, perhaps late, always in order. */
class ServerFeed implements Feed {
  muted = false;
  readonly #ports: WatchPorts;
  readonly #faults: WatchFaults;
  readonly #changes: (entries: BucketEntry[]) => void;
  #waiting: BucketEntry[] = [];
  #busy = false;
  #onTheirWay = 0;

  constructor(
    ports: WatchPorts,
    readonly side: Side,
    readonly prefix: string,
    faults: WatchFaults,
    changes: (entries: BucketEntry[]) => void,
  ) {
    this.#ports = ports;
    this.#faults = faults;
    this.#changes = changes;
    ports.store.follow(this);
  }

  /** Nothing waits, here or on the wire, and nothing is held back. */
  get isIdle(): boolean {
    return !this.muted && !this.#busy && this.#waiting.length === 0 && this.#onTheirWay === 0;
  }

  /** Sends what there was at the start; changes of the meantime come after it. */
  snapshot(entries: BucketEntry[], answer: (entries: BucketEntry[]) => void): void {
    this.#later(() => answer(entries));
  }

  push(entry: BucketEntry): void {
    if (this.muted) return;
    this.#waiting.push(entry);
    if (!this.#busy) this.#flush();
  }

  #flush(): void {
    this.#later(() => {
      const entries = this.#waiting;
      this.#waiting = [];
      if (this.muted) return;
      this.#onTheirWay++;
      this.#ports.connection.deliver(this.side, () => {
        this.#onTheirWay--;
        this.#changes(entries);
      });
    });
  }

  #later(send: () => void): void {
    const { timeline, random } = this.#ports;
    const { delayMs } = this.#faults;
    this.#busy = true;
    const run = (): void => {
      this.#busy = false;
      send();
      if (this.#waiting.length > 0) this.#flush();
    };
    if (delayMs > 0) timeline.after(random.between(0, delayMs), run);
    else run();
  }
}
