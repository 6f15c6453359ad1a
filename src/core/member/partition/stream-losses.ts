import type { Cancel, Clock } from '../../lib/clock.js';
import type { EventStream, StreamBounds, Trimmed } from '../../ports/index.js';
import type { ClearedRecord } from '../../protocol/records.js';
import { clearedUpTo } from './cleared.js';

/** How often to look at the stream while messages wait, and while it drops waiting messages. */
const LOOK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 200;

/** See `ClearedRecord`; undefined: no trim by an operator is known. */
export type Cleared = Pick<ClearedRecord, 'seq' | 'created'> | undefined;

/** What {@link TrimWatch} works with. */
export interface TrimPorts {
  clock: Clock;
  stream: Pick<EventStream, 'bounds'>;
  /** The last received sequence, and how many messages wait after it. */
  reading: () => { received: number; waiting: number };
  /** Up to which sequence no message of the partition waited when an operator trimmed handled messages. */
  cleared: () => Promise<Cleared>;
  trimmed: (trimmed: Trimmed) => void;
}

/**
 * Detects messages that the stream drops before they are received: the server skips them silently. There are three
 * signs, each combined with a look at the stream: its first sequence is beyond what was received, although messages
 * wait, or none was requested when it moved; fewer messages wait than before, minus those received; a subject is at its
 * limit, and all of its messages wait.
 */
export class TrimWatch {
  readonly #ports: TrimPorts;
  /** Up to here nothing is missing, or the loss was reported. */
  #settledTo: number;
  #before: number;
  #hasLooked = false;
  /** Since the last look: sequences skipped, messages gone without a delivery, and the maximum of waiting messages. */
  #passed = 0;
  /** The last sequence received before the first skipped one. */
  #passedFrom = 0;
  /** The first sequence received after the last skipped one. */
  #passedTo = 0;
  #fell = 0;
  #mostWaiting = 0;
  #waiting: number | undefined;
  #missed = 0;
  #isLosing = false;
  #cancel: Cancel | undefined;
  #stopped = false;

  /**
   * `received`: where reading starts. `before`: messages missing up to here at the start are no loss, because they may
   * have been dropped before the group began.
   */
  constructor(received: number, before: number, ports: TrimPorts) {
    this.#settledTo = received;
    this.#before = before;
    this.#ports = ports;
  }

  /** Looks now, and then regularly. */
  async start(): Promise<void> {
    await this.#look(Number.POSITIVE_INFINITY);
    this.#schedule();
  }

  /** A reader has started, and the server has just counted the waiting messages. */
  opened(waiting: number): void {
    this.#fell += Math.max(0, this.#missed - waiting);
    this.#missed = 0;
    this.#waiting = waiting;
    this.#mostWaiting = Math.max(this.#mostWaiting, waiting);
  }

  /**
   * A message arrived after sequence `after`; `waiting` messages still wait.
   *
   * @param rested no request was open in between. While one is open, messages are delivered as they are stored, so a
   *   jump means messages of other partitions. A burst can be faster than that: what a limit drops of it goes
   *   unnoticed.
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

  /** No message arrived although `waiting` messages waited. The next reader gets the new number. */
  missed(waiting: number): void {
    this.#missed = waiting;
  }

  /** True while a sign of a loss has not been checked. */
  get isUnsettled(): boolean {
    return this.#passed > 0 || this.#fell > 0;
  }

  /** Looks into what was noticed since the last look, if anything; also after the end. */
  async settle(): Promise<void> {
    if (this.isUnsettled) await this.#look(this.#ports.reading().waiting, true);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #look(waiting: number, afterEnd = false): Promise<void> {
    const { stream, reading, trimmed } = this.#ports;
    // The second answer is needed only once. Asking now spares a member that leaves soon a wait.
    const [bounds, cleared] = await Promise.all([
      stream.bounds(LOOK_AGAIN_MS / 2),
      this.#hasLooked ? undefined : this.#ports.cleared(),
    ]);
    if (bounds.kind !== 'ok' || (this.#stopped && !afterEnd)) return;
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

  /** Messages stored now that disappear later are a loss. */
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
    // A stream that begins after the next message may have dropped it after it was handled, like those before.
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
      if (waiting > 0 || this.isUnsettled) await this.#look(waiting);
      this.#schedule();
    });
  }
}
