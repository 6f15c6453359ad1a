import type { Cancel, Clock } from '../../lib/clock.js';
import type { EventStream, Rest, StreamBounds, Trimmed } from '../../ports/index.js';
import type { ClearedRecord } from '../../protocol/position-records.js';
import { clearedUpTo } from './cleared.js';
import {
  isSign,
  type Jump,
  type LossSigns,
  NO_SIGNS,
  skippedIn,
  together,
  withJump,
  withoutDoubts,
} from './loss-signs.js';

/**
 * Interval between checks of the stream while messages wait to be delivered, and the shorter interval while the stream drops waiting
 * messages, in milliseconds.
 */
const LOOK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 200;
/** A message that is dropped within this time after it was stored may go unnoticed: see SPEC.md. */
const YOUNG_MS = 1_000;

/** A {@link Rest} of unknown length: at no time is it certain that the reader had a pending request. */
export const UNKNOWN_REST: Rest = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** The record of a trim by an operator (see `ClearedRecord`); undefined if no trim is known. */
export type Cleared = Pick<ClearedRecord, 'seq' | 'created'> | undefined;

/** The dependencies of {@link TrimWatch}. */
export interface TrimPorts {
  clock: Clock;
  stream: Pick<EventStream, 'bounds'>;
  /** The last received sequence, and the number of messages that wait after it. */
  reading: () => { received: number; waiting: number };
  /** Reads the record of an operator's last trim of handled messages. */
  cleared: () => Promise<Cleared>;
  trimmed: (trimmed: Trimmed) => void;
}

/** The state in which a {@link TrimWatch} ended. The next watch of the same owner continues with this state. */
export interface TrimState extends LossSigns {
  /** Up to this sequence no message is missing, or the loss was reported. */
  settledTo: number;
}

/**
 * Detects messages that the stream drops before they are received. The server skips dropped messages silently. There are three signs of a
 * loss, and each is checked against the state of the stream. First, the stream begins after the last received message although messages
 * wait, or the stream begins within or after a jump of the received sequences. A jump counts only if the reader may have had no open
 * request during the jump. Second, the number of waiting messages falls by more than the number received. Third, the received sequences
 * jump, and at least as many messages have waited as the stream keeps per subject.
 */
export class TrimWatch {
  readonly #ports: TrimPorts;
  #settledTo: number;
  #before: number;
  #hasLooked = false;
  /** The signs noticed since the last check began, and the signs that the current check investigates. */
  #signs = NO_SIGNS;
  #asked = NO_SIGNS;
  #noticedAt = 0;
  #looking: Promise<boolean> | undefined;
  /** The maximum number of waiting messages since the last check. */
  #mostWaiting = 0;
  #waiting: number | undefined;
  /**
   * When the stream was last known to hold every message that was not received yet. The time is updated when no message waits, and when a
   * check finds that the stream begins at or before the next message. Undefined before the first check, which is made when reading starts.
   */
  #completeAt: number | undefined;
  #missed = 0;
  #isLosing = false;
  #cancel: Cancel | undefined;
  #stopped = false;

  /**
   * `received`: the sequence after which reading starts. `before`: messages up to this sequence that are missing at the start are not a
   * loss, because they may have been dropped before the group began. `last`: the state in which the previous watch of this owner ended.
   */
  constructor(received: number, before: number, ports: TrimPorts, last?: TrimState) {
    this.#settledTo = received;
    this.#before = before;
    this.#ports = ports;
    if (!last) return;
    // Messages after `received` that the previous watch had already received are read again, and may have been dropped by now.
    const jumps = last.jumps.filter(({ from }) => from < received);
    this.#settledTo = Math.min(last.settledTo, received);
    this.#signs = { jumps, fell: last.fell };
  }

  /** Checks the stream now, and then regularly. */
  async start(): Promise<void> {
    await this.#look(() => Number.POSITIVE_INFINITY);
    this.#schedule();
  }

  /** The state from which the next watch of the same owner continues. */
  get state(): TrimState {
    return { ...together(this.#asked, this.#signs), settledTo: this.#settledTo };
  }

  /**
   * A reader has started, and the server has just counted the waiting messages. The reader starts where the previous reader ended, so
   * at least as many messages should wait as at the last delivery.
   */
  opened(waiting: number): void {
    const known = Math.max(this.#missed, this.#waiting ?? 0);
    this.#fell(Math.max(0, known - waiting));
    if (waiting === 0) this.#completeAt = this.#ports.clock.now();
    this.#missed = 0;
    this.#waiting = waiting;
    this.#mostWaiting = Math.max(this.#mostWaiting, waiting);
  }

  /**
   * A message arrived after sequence `after`; `waiting` messages still wait.
   *
   * @param rest the time without an open request, if any. While a request is open, messages are delivered as they are stored, so the
   *   sequences of a jump belong to other partitions. However, if messages are stored faster than they are delivered, losses caused by a
   *   limit of the stream go unnoticed.
   */
  came(sequence: number, after: number, waiting: number, rest: Rest | undefined): void {
    const before = this.#waiting ?? waiting + 1;
    this.#waiting = waiting;
    if (waiting >= this.#mostWaiting) this.#mostWaiting = waiting + 1;
    const known = this.#completeAt;
    const isLong =
      rest !== undefined && known !== undefined && rest.until - Math.max(rest.from, known) >= YOUNG_MS;
    if (waiting === 0) this.#completeAt = this.#ports.clock.now();
    if (before - 1 > waiting) this.#fell(before - 1 - waiting);
    if (waiting === 0) this.#signs = withoutDoubts(this.#signs);
    const isDoubtful = rest !== undefined && rest.from === rest.until;
    if (!rest || sequence === after + 1 || (isDoubtful && waiting === 0)) return;
    const skipped = sequence - 1 - Math.max(after, this.#settledTo, this.#before);
    if (skipped <= 0) return;
    this.#signs = withJump(this.#signs, { from: after, to: sequence, skipped, isLong, isDoubtful });
    this.#noticedAt = this.#ports.clock.now();
  }

  /** No message arrived although `waiting` messages waited. The next reader shows the new number of waiting messages. */
  missed(waiting: number): void {
    this.#missed = waiting;
  }

  /**
   * Investigates all signs noticed so far, even after {@link stop}. Resolves with false if the stream did not answer. If the result is
   * false, the messages received so far must not be committed.
   */
  async settle(): Promise<boolean> {
    while (this.#looking) await this.#looking;
    return !isSign(this.#signs) || this.#look(() => this.#ports.reading().waiting, true);
  }

  /**
   * The last sequence up to which no message is missing, or the loss was reported, if all messages up to it are received, and nothing is
   * suspected or investigated now; otherwise undefined.
   */
  get idleFrom(): number | undefined {
    const { received, waiting } = this.#ports.reading();
    const isBusy = waiting > 0 || isSign(this.#signs) || this.#looking !== undefined;
    return isBusy || !this.#hasLooked || this.#stopped ? undefined : Math.max(received, this.#settledTo);
  }

  /** No message up to this sequence is missing. */
  settleTo(sequence: number): void {
    this.#settledTo = Math.max(this.#settledTo, sequence);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** This number of messages has disappeared without being delivered. */
  #fell(messages: number): void {
    if (messages === 0) return;
    this.#signs = { ...this.#signs, fell: this.#signs.fell + messages };
    this.#noticedAt = this.#ports.clock.now();
  }

  async #look(waiting: () => number, afterEnd = false): Promise<boolean> {
    while (this.#looking) await this.#looking;
    this.#looking = this.#ask(waiting(), afterEnd).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #ask(waiting: number, afterEnd: boolean): Promise<boolean> {
    const { clock, stream, reading, trimmed } = this.#ports;
    this.#asked = this.#signs;
    this.#signs = NO_SIGNS;
    const { received } = reading();
    // The answer must be recent enough to show the losses that caused the signs.
    const since = Math.max(this.#noticedAt, clock.now() - LOOK_AGAIN_MS / 2);
    // The first check also reads the record of a trim. Reading the record together with the bounds saves time if the member leaves soon.
    const [bounds, cleared] = await Promise.all([
      stream.bounds(since),
      this.#hasLooked ? undefined : this.#ports.cleared(),
    ]);
    const asked = this.#asked;
    this.#asked = NO_SIGNS;
    if (bounds.kind !== 'ok' || (this.#stopped && !afterEnd)) {
      this.#signs = together(asked, this.#signs);
      return false;
    }
    if (!this.#hasLooked) this.#begin(bounds, cleared);
    if (bounds.first <= received + 1) this.#completeAt = Math.max(this.#completeAt ?? since, since);
    const found = this.#judge(asked, bounds, waiting);
    this.#isLosing = found !== undefined;
    this.#settledTo = Math.max(this.#settledTo, received, found?.to ?? 0);
    if (!isSign(this.#signs)) this.#mostWaiting = this.#waiting ?? 0;
    if (found) trimmed(found);
    return true;
  }

  /** Handles the first check. Only messages that are stored now and disappear later are a loss. */
  #begin({ first, missing, created }: StreamBounds, cleared: Cleared): void {
    this.#hasLooked = true;
    this.#settledTo = Math.max(this.#settledTo, Math.min(this.#before, first - 1));
    this.#settledTo = Math.max(this.#settledTo, Math.min(clearedUpTo(cleared, created), first - 1));
    if (missing === 0) this.#before = 0;
  }

  #judge({ jumps, fell }: LossSigns, bounds: StreamBounds, waiting: number): Trimmed | undefined {
    const { received } = this.#ports.reading();
    const passed = skippedIn(jumps);
    const { first, last, missing, mostPerSubject } = bounds;
    const next = Math.max(received, this.#settledTo) + 1;
    // A lost message may be part of both counts, so the counts are not added.
    const before = Math.max(passed, fell);
    const from = before > 0 ? this.#settledTo + 1 : next;
    if (waiting > 0 && first > next) {
      const atMost = before + Math.min(first - next, waiting);
      return { from, to: first - 1, atMost };
    }
    // Jumps that were noticed after the request was sent are investigated, too, because the answer may already show the change that
    // caused them.
    const jumped = this.#jumpOver(bounds, jumps) ?? this.#jumpOver(bounds, this.#signs.jumps);
    if (jumped) return jumped;
    const gaps = Math.max(0, first - this.#settledTo - 1) + missing;
    if (gaps === 0) return undefined;
    if (mostPerSubject > 0 && this.#mostWaiting >= mostPerSubject && passed > 0)
      return { from, to: received, atMost: Math.min(passed, gaps) };
    // The lost messages were stored after the settled messages. A message that was received later may have been stored after the lost
    // messages.
    const to = this.#waiting === 0 ? last : received;
    if (fell > 0) return { from: this.#settledTo + 1, to: Math.max(this.#settledTo + 1, to), atMost: fell };
    return undefined;
  }

  /**
   * Returns the loss if the stream begins within one of the jumps or after a long jump; otherwise undefined. The jumps before that jump
   * count as lost, too. Messages outside the jumps were received before the stream dropped them.
   */
  #jumpOver({ first, missing }: StreamBounds, jumps: readonly Jump[]): Trimmed | undefined {
    const at = jumps.findLastIndex(
      ({ from, to, isLong }) => Math.max(from, this.#settledTo) + 1 < first && (first <= to || isLong),
    );
    const jump = jumps[at];
    if (!jump) return undefined;
    const to = missing === 0 ? Math.min(first, jump.to) - 1 : this.#ports.reading().received;
    return { from: this.#settledTo + 1, to, atMost: skippedIn(jumps.slice(0, at + 1)) };
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, reading } = this.#ports;
    const delayMs = this.#isLosing ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
    this.#cancel = clock.at(clock.now() + delayMs, async () => {
      const { waiting } = reading();
      if (waiting > 0 || isSign(this.#signs)) await this.#look(() => waiting);
      this.#schedule();
    });
  }
}
