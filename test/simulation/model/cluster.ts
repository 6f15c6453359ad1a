import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import type { Timeline } from '../../../src/core/testing/timeline.js';
import type { Random } from './random.js';
import type { Store } from './store.js';

export const SERVERS = 3;

/** The bucket as one server sees it. */
export interface BucketView {
  get(key: string): BucketEntry | undefined;
  newestBelow(prefix: string): BucketEntry | undefined;
}

/** A route in one direction. */
export type Route = readonly [from: number, to: number];

/** Times after a cut, in milliseconds. */
export interface CutTimes {
  /** Time until the side with a quorum has a leader. */
  electionMs: number;
  /** How long a leader without a quorum keeps answering reads. */
  staleMs: number;
  /** True if the servers do not notice the cut. Messages across the cut are silently lost. */
  quiet: boolean;
}

/**
 * The servers with replicas of the bucket, and the routes between them. While all routes work, they act as one server. A leader that loses
 * its quorum keeps answering reads. It answers with what was committed before.
 */
export class Cluster {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #store: Store;
  readonly #cut = new Set<string>();
  isQuiet = false;
  /** The server that takes new connections. Undefined: any server. */
  placesAt: number | undefined;
  /** The leader that can write. Undefined during an election, or if no side has a quorum. */
  #leader: number | undefined = 0;
  /** The previous leader, while it does not know that it has lost its quorum. */
  #stale: number | undefined;
  /** The committed contents at the time of the cut. */
  #before: BucketView | undefined;
  #waiting: (() => void)[] = [];
  /** Counts cuts and repairs. Each of them cancels the actions that were scheduled before it. */
  #changes = 0;

  constructor(timeline: Timeline, random: Random, store: Store) {
    this.#timeline = timeline;
    this.#random = random;
    this.#store = store;
  }

  /** The current leader. Without one, the last leader. */
  get led(): number {
    return this.#leader ?? this.#stale ?? 0;
  }

  get isCut(): boolean {
    return this.#cut.size > 0;
  }

  place(): number {
    return this.placesAt ?? this.#random.int(0, SERVERS - 1);
  }

  /** True if bytes pass from one server to another. */
  passes(from: number, to: number): boolean {
    return from === to || !this.#cut.has(`${from}>${to}`);
  }

  sees(one: number, other: number): boolean {
    return this.passes(one, other) && this.passes(other, one);
  }

  /** The contents that a client of this server reads. Undefined if the read gets no answer. */
  reader(at: number): BucketView | undefined {
    const views: BucketView[] = [];
    if (this.#leader !== undefined && this.sees(at, this.#leader)) views.push(this.#store);
    if (this.#stale !== undefined && this.#before && this.sees(at, this.#stale)) views.push(this.#before);
    return this.#random.oneOf(views);
  }

  /** What happens to a write by a client of this server. `unanswered`: it is applied, but not answered. */
  writer(at: number): 'applied' | 'unanswered' | 'lost' {
    if (this.#leader === undefined || !this.passes(at, this.#leader)) return 'lost';
    return this.passes(this.#leader, at) ? 'applied' : 'unanswered';
  }

  /** True if a server has the currently committed contents. */
  isCurrent(at: number): boolean {
    return this.#leader !== undefined && this.sees(at, this.#leader);
  }

  /** The server that gets the consumer of a watch, if a client of server `at` requests the watch. Undefined if none is created. */
  placeWatch(at: number): number | undefined {
    const leader = this.#leader;
    if (leader === undefined || !this.sees(at, leader)) return undefined;
    const servers = Array.from({ length: SERVERS }, (_, server) => server);
    return this.#random.oneOf(servers.filter((server) => this.sees(server, leader) && this.sees(server, at)));
  }

  /** Calls `then` when all routes work and there is a leader. */
  whenWhole(then: () => void): void {
    this.#waiting.push(then);
  }

  /** Cuts routes until {@link heal}. */
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

  /** Repairs all routes. The previous leader may lead again. */
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
