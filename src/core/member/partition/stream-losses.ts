import type { Cancel, Clock } from '../../lib/clock.js';
import type { Coverage, EventStream, Rest, StreamBounds, Trimmed } from '../../ports/index.js';
import { judgeLoss } from './loss-judgement.js';
import { isSign, type LossSigns, NO_SIGNS, together, withJump, withoutDoubts } from './loss-signs.js';
import { type Cleared, SettledMark } from './settled-mark.js';
import { WaitingCounts } from './waiting-counts.js';

/** While messages wait, the stream is checked every LOOK_EVERY_MS. While it drops waiting messages, it is checked every LOOK_AGAIN_MS. */
const LOOK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 200;
/** A message that is dropped within this time after it was stored may go unnoticed: see SPEC.md. */
const YOUNG_MS = 1_000;

/** A {@link Rest} of unknown length: at no time is it certain that the reader had a pending request. */
export const UNKNOWN_REST: Rest = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** The dependencies of {@link TrimWatch}. */
export interface TrimPorts {
  clock: Clock;
  stream: Pick<EventStream, 'bounds'>;
  /**
   * The last received sequence, and the number of messages that wait after it. `isResting` means that no message arrives because none is
   * requested.
   */
  reading: () => { received: number; waiting: number; isResting?: boolean };
  /** Lets the server count the waiting messages; absent if every delivery shows them. Resolves with false if there was no answer. */
  recount?: () => Promise<boolean>;
  /** Replaces the reader. Called after a count has shown a loss. A server before 2.10 can then skip the messages that still wait. */
  replace?: () => void;
  /** Reads the record of an operator's last trim of handled messages. */
  cleared: () => Promise<Cleared>;
  trimmed: (trimmed: Trimmed) => void;
}

/** The state in which a {@link TrimWatch} ended. The next watch of the same owner continues with it. */
export interface TrimState extends LossSigns {
  /** Up to this sequence no message is missing, or the loss was reported. */
  settledTo: number;
}

/**
 * Detects messages that the stream drops before they are received. The server skips dropped messages silently. There are three signs of a
 * loss, and each is checked against the state of the stream. First, the stream begins too late: after the last received message although
 * messages wait, or within or after a jump of the received sequences. A jump counts only if the reader may have had no open request during
 * it. Second, the number of waiting messages falls by more than the number received. Third, the received sequences jump, and at least as
 * many messages have waited as the stream keeps per subject.
 */
export class TrimWatch {
  readonly #ports: TrimPorts;
  readonly #settled: SettledMark;
  /** `#signs` were noticed since the last check began. The current check investigates `#asked`. */
  #signs = NO_SIGNS;
  #asked = NO_SIGNS;
  #noticedAt = 0;
  #looking: Promise<boolean> | undefined;
  readonly #counts = new WaitingCounts();
  /**
   * When the stream was last known to hold every message that was not received yet. Updated when no message waits, and when a check finds
   * that the stream begins at or before the next message. Undefined before the first check.
   */
  #completeAt: number | undefined;
  #isLosing = false;
  #cancel: Cancel | undefined;
  #stopped = false;

  /**
   * `received` is the sequence after which reading starts. Messages up to `before` that are missing at the start are no loss. They may have
   * been dropped before the group began. `last` is the state in which the previous watch of this owner ended.
   */
  constructor(received: number, before: number, ports: TrimPorts, last?: TrimState) {
    this.#settled = new SettledMark(Math.min(last?.settledTo ?? received, received), before);
    this.#ports = ports;
    if (!last) return;
    // Messages after `received` are read again, even if the previous watch had received them. The stream may have dropped some of them
    // since.
    const jumps = last.jumps.filter(({ from }) => from < received);
    this.#signs = { jumps, fell: last.fell };
  }

  /** Checks the stream now, and then regularly. */
  async start(): Promise<void> {
    await this.#look(() => Number.POSITIVE_INFINITY);
    this.#schedule();
  }

  /** The state with which the next watch of the same owner continues. */
  get state(): TrimState {
    return { ...together(this.#asked, this.#signs), settledTo: this.#settled.to };
  }

  /**
   * A reader has started, and the server has just counted the waiting messages. The reader starts where the previous reader ended. At least
   * as many messages should wait as at the last delivery.
   */
  opened(waiting: number): void {
    this.#fell(this.#counts.opened(waiting));
    if (waiting === 0) this.#completeAt = this.#ports.clock.now();
  }

  /**
   * A message arrived after sequence `after`; `waiting` messages still wait.
   *
   * @param rest the time without an open request, if any. While a request is open, the server delivers each message as soon as it is stored. A jump
   *   then consists of messages of other partitions. However, if messages are stored faster than they are delivered, losses by a limit of the
   *   stream go unnoticed.
   */
  came(sequence: number, after: number, waiting: number, rest: Rest | undefined): void {
    const known = this.#completeAt;
    const isLong =
      rest !== undefined && known !== undefined && rest.until - Math.max(rest.from, known) >= YOUNG_MS;
    if (waiting === 0) this.#completeAt = this.#ports.clock.now();
    this.#fell(this.#counts.came(waiting));
    if (waiting === 0) this.#signs = withoutDoubts(this.#signs);
    const isDoubtful = rest?.isDoubtful === true;
    if (!rest || sequence === after + 1 || (isDoubtful && waiting === 0)) return;
    const skipped = sequence - 1 - Math.max(after, this.#settled.noLossTo);
    if (skipped <= 0) return;
    this.#signs = withJump(this.#signs, { from: after, to: sequence, skipped, isLong, isDoubtful });
    this.#noticedAt = this.#ports.clock.now();
  }

  /** No message arrived although `waiting` messages waited. The next reader shows the new number of waiting messages. */
  missed(waiting: number): void {
    this.#counts.missed(waiting);
  }

  /**
   * Investigates all signs noticed so far, even after {@link stop}. Resolves with false if the stream did not answer. The messages received
   * so far must then not be committed.
   */
  async settle(): Promise<boolean> {
    while (this.#looking) await this.#looking;
    return !isSign(this.#signs) || this.#look(() => this.#ports.reading().waiting, true);
  }

  /**
   * Up to this sequence no message is missing, or the loss was reported. Undefined while messages wait, or while a loss is suspected or
   * investigated.
   */
  get idleFrom(): number | undefined {
    const { received, waiting } = this.#ports.reading();
    const isBusy = waiting > 0 || isSign(this.#signs) || this.#looking !== undefined;
    return isBusy || !this.#settled.hasBegun || this.#stopped
      ? undefined
      : Math.max(received, this.#settled.to);
  }

  /** Up to this sequence the stream holds no message, and each loss was reported. The position is allowed to pass it. */
  get passed(): Coverage {
    return { sequence: this.#settled.passedTo, storedMs: undefined };
  }

  /** No message up to this sequence is missing. */
  settleTo(sequence: number): void {
    this.#settled.moveTo(sequence);
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
    // The first check also reads the record of a trim.
    const [bounds, cleared] = await Promise.all([
      stream.bounds(since),
      this.#settled.hasBegun ? undefined : this.#ports.cleared(),
    ]);
    const asked = this.#asked;
    this.#asked = NO_SIGNS;
    if (bounds.kind !== 'ok' || (this.#stopped && !afterEnd)) {
      this.#signs = together(asked, this.#signs);
      return false;
    }
    if (!this.#settled.hasBegun) this.#settled.begin(bounds, cleared);
    if (bounds.first <= received + 1) this.#completeAt = Math.max(this.#completeAt ?? since, since);
    const { isEmpty } = this.#counts;
    const found = this.#judge(asked, bounds, waiting);
    this.#isLosing = found !== undefined;
    this.#settled.judged(bounds, received, found, isEmpty);
    if (!isSign(this.#signs)) this.#counts.forgetMost();
    if (found) trimmed(found);
    return true;
  }

  #judge(signs: LossSigns, bounds: StreamBounds, waiting: number): Trimmed | undefined {
    const { received, isResting } = this.#ports.reading();
    const { stored, fellByCount, hidden, waited } = this.#counts.endsAt(
      bounds.last,
      received,
      waiting === 0 && !isResting,
    );
    return judgeLoss({
      signs,
      newJumps: this.#signs.jumps,
      bounds,
      received,
      settledTo: this.#settled.to,
      soundTo: this.#settled.soundTo,
      mostWaiting: waiting + stored,
      fellByCount,
      hidden,
      waited,
      isFull: bounds.mostPerSubject > 0 && this.#counts.most >= bounds.mostPerSubject,
    });
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, reading } = this.#ports;
    const delayMs = this.#isLosing ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
    this.#cancel = clock.at(clock.now() + delayMs, async () => {
      const { waiting, isResting } = reading();
      if (waiting > 0 || isResting || isSign(this.#signs)) {
        const hasFallen = await this.#recount();
        await this.#look(() => waiting);
        if (hasFallen && !this.#stopped) this.#ports.replace?.();
      }
      this.#schedule();
    });
  }

  /**
   * Lets the server count the waiting messages if no delivery has shown their number since the previous check. Resolves with true if fewer
   * messages wait than before.
   */
  async #recount(): Promise<boolean> {
    const { clock, reading, recount } = this.#ports;
    if (!recount || !this.#counts.isDue(clock.now())) return false;
    if (!(await recount()) || this.#stopped) return false;
    const fell = this.#counts.recounted(reading().waiting);
    this.#fell(fell);
    return fell > 0;
  }
}
