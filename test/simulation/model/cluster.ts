import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import type { Random } from './random.js';
import type { Store } from './store.js';
import type { Timeline } from './timeline.js';

/** Servers of the cluster, numbered from 0. */
export const SERVERS = 3;

/** What one server knows of the bucket. */
export interface BucketView {
  get(key: string): BucketEntry | undefined;
  newestBelow(prefix: string): BucketEntry | undefined;
}

/** From one server to another, one way. */
export type Route = readonly [from: number, to: number];

/** How the bucket's replicas go on after a cut, milliseconds. */
export interface CutTimes {
  /** Until those that still have a quorum have a leader. */
  electionMs: number;
  /** How long a leader without a quorum goes on answering reads. */
  staleMs: number;
  /** The servers do not notice: what goes from one to another is lost, and nobody says that it is. */
  quiet: boolean;
}

/**
 * The servers among which the bucket has its replicas, and the routes between them. While all routes are there they are
 * as one server. A leader that loses its quorum goes on answering what it is asked, alone, with what was committed before.
 */
export class Cluster {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #store: Store;
  readonly #cut = new Set<string>();
  isQuiet = false;
  /** Where clients that connect end up; undefined: anywhere. */
  placesAt: number | undefined;
  /** The leader that can write; undefined: an election is on, or nobody has a quorum. */
  #leader: number | undefined = 0;
  /** The leader of before, as long as it does not know that it is none. */
  #stale: number | undefined;
  /** What was committed when the routes were cut. */
  #before: BucketView | undefined;
  /** Those who wait for the routes to be there again. */
  #waiting: (() => void)[] = [];
  /** Cuts and heals so far: what was to happen after one of them does not happen after the next. */
  #changes = 0;

  constructor(timeline: Timeline, random: Random, store: Store) {
    this.#timeline = timeline;
    this.#random = random;
    this.#store = store;
  }

  /** The server that leads, or led last. */
  get led(): number {
    return this.#leader ?? this.#stale ?? 0;
  }

  get isCut(): boolean {
    return this.#cut.size > 0;
  }

  /** A server for a client that connects. */
  place(): number {
    return this.placesAt ?? this.#random.int(0, SERVERS - 1);
  }

  /** True where bytes pass from one server to another. */
  passes(from: number, to: number): boolean {
    return from === to || !this.#cut.has(`${from}>${to}`);
  }

  /** The same there and back. */
  sees(one: number, other: number): boolean {
    return this.passes(one, other) && this.passes(other, one);
  }

  /** What answers a read that a client of this server sends; undefined: nothing does. */
  reader(at: number): BucketView | undefined {
    const views: BucketView[] = [];
    if (this.#leader !== undefined && this.sees(at, this.#leader)) views.push(this.#store);
    if (this.#stale !== undefined && this.#before && this.sees(at, this.#stale)) views.push(this.#before);
    return this.#random.oneOf(views);
  }

  /** What becomes of a write that a client of this server sends. `unanswered`: it is applied, and nobody hears of it. */
  writer(at: number): 'applied' | 'unanswered' | 'lost' {
    if (this.#leader === undefined || !this.passes(at, this.#leader)) return 'lost';
    return this.passes(this.#leader, at) ? 'applied' : 'unanswered';
  }

  /** True where a server has what is committed now. */
  isCurrent(at: number): boolean {
    return this.#leader !== undefined && this.sees(at, this.#leader);
  }

  /** A server for the consumer of a watch that a client of this server asks for; undefined: nobody creates it. */
  placeWatch(at: number): number | undefined {
    const leader = this.#leader;
    if (leader === undefined || !this.sees(at, leader)) return undefined;
    const servers = Array.from({ length: SERVERS }, (_, server) => server);
    return this.#random.oneOf(servers.filter((server) => this.sees(server, leader) && this.sees(server, at)));
  }

  /** Calls back once all routes are there and somebody leads. */
  whenWhole(then: () => void): void {
    this.#waiting.push(then);
  }

  /** Cuts routes, and nothing else until {@link heal}. */
  cut(routes: readonly Route[], { electionMs, staleMs, quiet }: CutTimes): void {
    this.isQuiet = quiet;
    for (const [from, to] of routes) this.#cut.add(`${from}>${to}`);
    const change = ++this.#changes;
    this.#before = this.#store.view();
    const leader = this.#leader;
    if (leader === undefined || this.#hasQuorum(leader)) return;
    this.#stale = leader;
    this.#leader = undefined;
    this.#later(change, electionMs, () => this.#elect());
    this.#later(change, staleMs, () => {
      this.#stale = undefined;
    });
  }

  /** All routes are there again. Whoever led may lead again. */
  heal(electionMs: number): void {
    this.#cut.clear();
    const change = ++this.#changes;
    this.#stale = undefined;
    if (this.#leader === undefined) this.#later(change, electionMs, () => this.#elect());
    else this.#whole();
  }

  #later(change: number, afterMs: number, then: () => void): void {
    this.#timeline.after(afterMs, () => {
      if (this.#changes === change) then();
    });
  }

  #elect(): void {
    const servers = Array.from({ length: SERVERS }, (_, server) => server);
    this.#leader = this.#random.oneOf(servers.filter((server) => this.#hasQuorum(server)));
    if (this.#leader !== undefined && !this.isCut) this.#whole();
  }

  #whole(): void {
    this.#before = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }

  #hasQuorum(server: number): boolean {
    let seen = 0;
    for (let other = 0; other < SERVERS; other++) if (this.sees(server, other)) seen++;
    return seen > SERVERS / 2;
  }
}
