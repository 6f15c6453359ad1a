import type { Cancel, Clock } from '../../lib/clock.js';
import type { EventStream, StreamBounds } from '../../ports/index.js';
import type { ClearedRecord } from '../../protocol/records.js';
import { clearedUpTo } from './cleared.js';

/** While messages wait, the stream is looked at this often, and this often while it drops what waits. */
const LOOK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 200;

/**
 * Messages that the stream dropped (by its limits, a purge, a deletion) before this group handled them: those of one
 * partition among the sequences `from` to `to`, both included.
 */
export interface Trimmed {
  from: number;
  to: number;
  /** No more than this many; exact where the stream has a single partition. */
  atMost: number;
}

/** See `ClearedRecord`; undefined: no operator has trimmed, or that is not known. */
export type Cleared = Pick<ClearedRecord, 'seq' | 'created'> | undefined;

/** What a {@link TrimWatch} looks at. */
export interface TrimPorts {
  clock: Clock;
  stream: Pick<EventStream, 'bounds'>;
  /** The last sequence that was received, and how many messages wait behind it. */
  reading: () => { received: number; waiting: number };
  /** Up to which sequence nothing of the partition waited when an operator deleted handled messages. */
  cleared: () => Promise<Cleared>;
  trimmed: (trimmed: Trimmed) => void;
}

/**
 * Notices what the stream drops before it is received: the server passes over it without a word. Three things tell,
 * each together with a look at the stream: its first sequence lies beyond what was received, though messages wait, or were
 * not asked for when it passed them; fewer messages wait than did, less those that came; a subject holds as many
 * messages as it may, and all of them wait.
 */
export class TrimWatch {
  readonly #ports: TrimPorts;
  /** Up to here nothing is missing, or it was told. */
  #settledTo: number;
  #before: number;
  #hasLooked = false;
  /** Since then: sequences that were passed over, messages that went without a delivery, the most that waited. */
  #passed = 0;
  /** What was received before the first of them. */
  #passedFrom = 0;
  /** The message that came behind the last of them. */
  #passedTo = 0;
  #fell = 0;
  #mostWaiting = 0;
  #waiting: number | undefined;
  #missed = 0;
  #isLosing = false;
  #cancel: Cancel | undefined;
  #stopped = false;

  /**
   * `received`: the sequence behind which reading starts. `before`: what is missing up to there when it does is no loss,
   * because it may have been dropped before the group began.
   */
  constructor(received: number, before: number, ports: TrimPorts) {
    this.#settledTo = received;
    this.#before = before;
    this.#ports = ports;
  }

  /** Looks behind what was received, and now and then from then on. */
  async start(): Promise<void> {
    await this.#look(Number.POSITIVE_INFINITY);
    this.#schedule();
  }

  /** A reader has started, and the server has just counted this many waiting messages. */
  opened(waiting: number): void {
    this.#fell += Math.max(0, this.#missed - waiting);
    this.#missed = 0;
    this.#waiting = waiting;
    this.#mostWaiting = Math.max(this.#mostWaiting, waiting);
  }

  /**
   * A message arrived after another one (by sequence), and this many still wait.
   *
   * @param rested nothing was asked for in between. While a request waits, what is stored is delivered at once, and a jump
   *   means messages of other partitions. A burst can be faster than that: what a limit drops of it is not noticed.
   */
  came(sequence: number, after: number, waiting: number, rested: boolean): void {
    const before = this.#waiting ?? waiting + 1;
    this.#waiting = waiting;
    if (waiting >= this.#mostWaiting) this.#mostWaiting = waiting + 1;
    if (before - 1 > waiting) this.#fell += before - 1 - waiting;
    if (!rested || sequence === after + 1) return;
    if (this.#passed === 0) this.#passedFrom = after;
    this.#passedTo = sequence;
    this.#passed += Math.max(0, sequence - 1 - Math.max(after, this.#settledTo, this.#before));
  }

  /** Nothing arrived although this many messages waited. The next reader gets the new number. */
  missed(waiting: number): void {
    this.#missed = waiting;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #look(waiting: number): Promise<void> {
    const { stream, reading, trimmed } = this.#ports;
    // The second question matters once; asked later, a member that leaves at once would not wait for it.
    const [bounds, cleared] = await Promise.all([
      stream.bounds(LOOK_AGAIN_MS / 2),
      this.#hasLooked ? undefined : this.#ports.cleared(),
    ]);
    if (bounds.kind !== 'ok' || this.#stopped) return;
    if (!this.#hasLooked) this.#begin(bounds, cleared);
    const { received } = reading();
    const found = this.#judge(bounds, received, waiting);
    this.#isLosing = found !== undefined;
    this.#settledTo = Math.max(this.#settledTo, received, found?.to ?? 0);
    this.#passed = 0;
    this.#fell = 0;
    this.#mostWaiting = this.#waiting ?? 0;
    if (found) trimmed(found);
  }

  /** What is stored now, and goes later, is a loss. */
  #begin({ first, missing, created }: StreamBounds, cleared: Cleared): void {
    this.#hasLooked = true;
    this.#settledTo = Math.max(this.#settledTo, Math.min(this.#before, first - 1));
    this.#settledTo = Math.max(this.#settledTo, Math.min(clearedUpTo(cleared, created), first - 1));
    if (missing === 0) this.#before = 0;
  }

  #judge(bounds: StreamBounds, received: number, waiting: number): Trimmed | undefined {
    const { first, last, missing, mostPerSubject } = bounds;
    const next = Math.max(received, this.#settledTo) + 1;
    const from = this.#passed > 0 ? this.#settledTo + 1 : next;
    if (waiting > 0 && first > next) {
      const atMost = this.#passed + Math.min(first - next, waiting);
      return { from, to: first - 1, atMost };
    }
    // A stream that begins behind the message that came next may have dropped it handled, like those before it.
    const passedFrom = Math.max(this.#passedFrom, this.#settledTo);
    if (this.#passed > 0 && first > passedFrom + 1 && first <= this.#passedTo)
      return { from, to: missing === 0 ? first - 1 : received, atMost: this.#passed };
    const gaps = Math.max(0, first - this.#settledTo - 1) + missing;
    if (gaps === 0) return undefined;
    if (mostPerSubject > 0 && this.#mostWaiting >= mostPerSubject && this.#passed > 0)
      return { from, to: received, atMost: Math.min(this.#passed, gaps) };
    if (this.#fell > 0)
      return { from, to: Math.max(from, this.#waiting === 0 ? last : received), atMost: this.#fell };
    return undefined;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, reading } = this.#ports;
    const delayMs = this.#isLosing ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
    this.#cancel = clock.at(clock.now() + delayMs, async () => {
      const { waiting } = reading();
      if (waiting > 0 || this.#passed > 0 || this.#fell > 0) await this.#look(waiting);
      this.#schedule();
    });
  }
}
