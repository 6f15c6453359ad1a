/** While no delivery shows how many messages wait, the server counts them at this interval, in milliseconds. */
const RECOUNT_EVERY_MS = 2_000;

/** Keeps the counts of a partition's waiting messages, and shows how many of them disappeared from one count to the next. */
export class WaitingCounts {
  /** The last count. */
  #waiting: number | undefined;
  #most = 0;
  /** How many messages waited when a reader delivered nothing. */
  #missed = 0;
  /** How often the waiting messages were counted, by deliveries or by the server. */
  #counts = 0;
  /** `#countsBefore` is the number of counts at the previous check. The server is not asked to count again before `#recountAt`. */
  #countsBefore = 0;
  #recountAt = 0;
  /** How many messages the last count by the server has shown to be lost. */
  #fellByCount = 0;
  /** The count before the server counted since the previous check; undefined if it has not counted. */
  #beforeRecount: number | undefined;
  /** `#endSeen` is the end of the stream at the previous check. `#endAtCount` holds a lower bound on the end at the last count. */
  #endSeen: number | undefined;
  #endAtCount = { count: -1, last: 0 };

  /** The maximum number of waiting messages since {@link forgetMost}. */
  get most(): number {
    return this.#most;
  }

  /** True if no message waits, and the last count has shown no loss. */
  get isEmpty(): boolean {
    return this.#waiting === 0 && this.#fellByCount === 0;
  }

  /** Counts anew how many messages wait at most. */
  forgetMost(): void {
    this.#most = this.#waiting ?? 0;
  }

  /** A reader has started, and the server has counted. Returns how many messages have disappeared. */
  opened(waiting: number): number {
    const known = Math.max(this.#missed, this.#waiting ?? 0);
    this.#missed = 0;
    this.#counted(waiting);
    return Math.max(0, known - waiting);
  }

  /** A delivery shows the number of messages that still wait. Returns how many messages have disappeared. */
  came(waiting: number): number {
    const before = this.#waiting ?? waiting + 1;
    this.#counts++;
    this.#waiting = waiting;
    if (waiting >= this.#most) this.#most = waiting + 1;
    return Math.max(0, before - 1 - waiting);
  }

  /** No message arrived although `waiting` messages waited. */
  missed(waiting: number): void {
    this.#missed = waiting;
  }

  /** True if the server should count now, because nothing was counted since the previous call. */
  isDue(now: number): boolean {
    const isShown = this.#counts !== this.#countsBefore;
    this.#countsBefore = this.#counts;
    if (isShown || now < this.#recountAt) return false;
    this.#recountAt = now + RECOUNT_EVERY_MS;
    return true;
  }

  /** The server has counted. Returns how many messages have disappeared. */
  recounted(waiting: number): number {
    this.#beforeRecount ??= this.#waiting ?? 0;
    this.#fellByCount = Math.max(0, (this.#waiting ?? 0) - waiting);
    this.#counted(waiting);
    this.#countsBefore = this.#counts;
    return this.#fellByCount;
  }

  #counted(waiting: number): void {
    this.#counts++;
    this.#waiting = waiting;
    this.#most = Math.max(this.#most, waiting);
  }

  /**
   * A check shows that the stream ends at `last`. Returns how many messages may wait that were `stored` since the last count, how many the
   * server has just counted as lost (`fellByCount`), and how many more losses can be `hidden`. At most `waited` messages waited before the
   * server counted.
   *
   * @param isServed true if the server delivers each message immediately.
   */
  endsAt(
    last: number,
    received: number,
    isServed: boolean,
  ): { stored: number; fellByCount: number; hidden: number; waited: number } {
    const isRecent = this.#endAtCount.count !== this.#counts;
    const storedBefore = Math.max(0, last - this.#endAtCount.last);
    // At the time of the count, the stream reached at least to the last received message, and to the end seen before.
    if (isRecent) this.#endAtCount = { count: this.#counts, last: Math.max(received, this.#endSeen ?? last) };
    this.#endSeen = last;
    // Messages stored since an older count can wait, too, unless the server delivers them immediately.
    const stored = isRecent || isServed ? 0 : Math.max(0, last - this.#endAtCount.last);
    const fellByCount = this.#fellByCount;
    this.#fellByCount = 0;
    // Each message stored between the last two counts hides one lost message.
    // Messages that were stored and dropped between these counts are in neither of them.
    const waited = this.#beforeRecount === undefined ? 0 : this.#beforeRecount + storedBefore;
    this.#beforeRecount = undefined;
    return { stored, fellByCount, hidden: fellByCount > 0 ? storedBefore : 0, waited };
  }
}
