import type { BucketEntry, Watch, WatchSink } from '../../../src/core/ports.js';
import type { Connection, Side } from './connection.js';
import type { Process } from './process.js';
import type { Random } from './random.js';
import { request } from './request.js';
import type { Feed, Store } from './store.js';
import type { Timeline } from './timeline.js';

const OPEN_TIMEOUT_MS = 5_000;
const RETRY_MS = 250;
const SNAPSHOT_STALL_MS = 2_000;
/** A snapshot comes in up to so many parts, up to this far from each other. */
const MOST_PARTS = 3;
const PART_MS = 5;

/** What goes wrong with a watch. */
export interface WatchFaults {
  /** Updates come late by up to this much, several at once. */
  delayMs: number;
  /** So often the server passes over an entry of a snapshot, though it counts it, and never sends it. */
  hole: number;
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
  /** What has come of a snapshot that is not complete. */
  #snapshot: { entries: BucketEntry[]; left: number } | undefined;
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
    this.#snapshot = undefined;
    const total = await request<number | undefined>(
      connection,
      OPEN_TIMEOUT_MS,
      (side, answer) => {
        if (this.#feed) store.unfollow(this.#feed);
        const feed = new ServerFeed(this.#ports, side, this.#prefix, this.#faults, (entries, left) => {
          if (generation === this.#generation) this.#receive(entries, left);
        });
        this.#feed = feed;
        feed.snapshot(store.below(this.#prefix), answer);
      },
      undefined,
    );
    this.#opening = false;
    if (this.#stopped) return;
    if (total === undefined || generation !== this.#generation) {
      this.#reopen();
      return;
    }
    this.#snapshot = { entries: [], left: total };
    if (total === 0) this.#complete([]);
    else this.#awaitRest(generation);
  }

  /** `left`: how many entries of the snapshot the server has still to send. */
  #receive(entries: BucketEntry[], left: number): void {
    const snapshot = this.#snapshot;
    if (!snapshot) {
      this.#sink.changes(entries);
      return;
    }
    snapshot.entries.push(...entries);
    if (left === 0) this.#complete(snapshot.entries);
    else if (left < snapshot.left) {
      snapshot.left = left;
      this.#awaitRest(this.#generation);
    }
  }

  #complete(entries: BucketEntry[]): void {
    this.#snapshot = undefined;
    this.#delivers = true;
    this.#sink.snapshot(entries);
  }

  /** A snapshot of which nothing more comes is given up, whatever else comes. */
  #awaitRest(generation: number): void {
    const { clock } = this.#ports.process;
    const left = this.#snapshot?.left;
    clock.at(clock.now() + SNAPSHOT_STALL_MS, () => {
      const hasStalled = left !== undefined && this.#snapshot?.left === left;
      if (generation === this.#generation && hasStalled) this.#reopen();
    });
  }
}

/** The server's side of a watch: collects changes and sends them, perhaps late, always in order. */
class ServerFeed implements Feed {
  muted = false;
  readonly #ports: WatchPorts;
  readonly #faults: WatchFaults;
  readonly #send: (entries: BucketEntry[], left: number) => void;
  #parts: BucketEntry[][] = [];
  /** Entries of the snapshot that were counted, and are not sent yet, or never will be. */
  #left = 0;
  #waiting: BucketEntry[] = [];
  #busy = false;
  #onTheirWay = 0;

  constructor(
    ports: WatchPorts,
    readonly side: Side,
    readonly prefix: string,
    faults: WatchFaults,
    send: (entries: BucketEntry[], left: number) => void,
  ) {
    this.#ports = ports;
    this.#faults = faults;
    this.#send = send;
    ports.store.follow(this);
  }

  /** Nothing waits, here or on the wire, and nothing is held back. */
  get isIdle(): boolean {
    return (
      !this.muted && !this.#busy && this.#parts.length + this.#waiting.length === 0 && this.#onTheirWay === 0
    );
  }

  /** Says how much there was at the start, and sends it in parts; changes of the meantime come after it. */
  snapshot(entries: BucketEntry[], answer: (total: number) => void): void {
    const { random } = this.#ports;
    this.#left = entries.length;
    const sent = [...entries];
    if (sent.length > 0 && this.#faults.hole > 0 && random.chance(this.#faults.hole))
      sent.splice(random.int(0, sent.length - 1), 1);
    const parts = random.int(1, MOST_PARTS);
    const size = Math.max(1, Math.ceil(sent.length / parts));
    while (sent.length > 0) this.#parts.push(sent.splice(0, size));
    this.#later(this.#faults.delayMs, () => answer(entries.length));
  }

  push(entry: BucketEntry): void {
    if (this.muted) return;
    this.#waiting.push(entry);
    if (!this.#busy) this.#flush();
  }

  #flush(): void {
    const isPart = this.#parts.length > 0;
    this.#later(isPart ? PART_MS : this.#faults.delayMs, () => {
      const part = this.#parts.shift();
      const entries = part ?? this.#waiting;
      if (part) this.#left -= part.length;
      else this.#waiting = [];
      const left = this.#left;
      if (this.muted) return;
      this.#onTheirWay++;
      this.#ports.connection.deliver(this.side, () => {
        this.#onTheirWay--;
        this.#send(entries, left);
      });
    });
  }

  #later(delayMs: number, send: () => void): void {
    const { timeline, random } = this.#ports;
    this.#busy = true;
    const run = (): void => {
      this.#busy = false;
      send();
      if (this.#parts.length + this.#waiting.length > 0) this.#flush();
    };
    if (delayMs > 0) timeline.after(random.between(0, delayMs), run);
    else run();
  }
}
