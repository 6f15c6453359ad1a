import { type Clock, sleep } from '../../lib/clock.js';
import type { EventStream } from '../../ports/index.js';

/**
 * The pause after a check is `REST` times as long as the check took, but at most `MOST_REST_MS`. While nats-server 2.9 counts the waiting
 * messages, it delivers none to the reader. A count near the end of the stream takes about 10 ms.
 */
const REST = 4;
const MOST_REST_MS = 50;

/** Maximum number of checks before a reader is removed, if the server does not answer. */
const LAST_LOOKS = 3;

/** The dependencies of {@link ChangeLooks}. */
export interface ChangeLooksPorts {
  clock: Clock;
  stream: Pick<EventStream, 'inspect'>;
  /** The reader's name, and the number of messages that it delivered to this member; undefined before the reader is open. */
  reading: () => { name: string; delivered: number } | undefined;
  /** For each partition that the reader serves now, the sequence after which it delivers. */
  serving: () => ReadonlyMap<number, number>;
  /** Reports messages that the stream dropped before the reader received them. Resolves with false if the server did not answer. */
  settle: () => Promise<boolean>;
}

/** Receives the findings of a check. */
export interface ChangeLooksEvents {
  /**
   * Another client had changed the reader. `partitions` holds, for each affected partition, the sequence after which deliveries are in
   * doubt.
   */
  changed(partitions: ReadonlyMap<number, number>, reason: string): void;
  /** Another client has pulled messages from the reader. */
  pulled(): void;
}

/**
 * Before deliveries of a shared reader are committed, checks whether another client has changed the reader. The check works even after the
 * reader has ended. The server keeps the reader for a while.
 */
export class ChangeLooks {
  readonly #ports: ChangeLooksPorts;
  readonly #events: ChangeLooksEvents;
  /** For each partition that the reader has served since the last check, the sequence after which it delivered. */
  #served = new Map<number, number>();
  /**
   * Set if, at the last check, the server had delivered messages that this member had not received. Holds the number of messages that this
   * member had received.
   */
  #missingAfter: number | undefined;
  /** The check in progress, and the next check, which may begin at `#nextLookAt`. */
  #look: Promise<boolean> | undefined;
  #nextLook: Promise<boolean> | undefined;
  #nextLookAt = 0;
  /** Ends the pause before the next check, if there is a pause. */
  #hurry: (() => void) | undefined;
  #isEnding = false;

  constructor(ports: ChangeLooksPorts, events: ChangeLooksEvents) {
    this.#ports = ports;
    this.#events = events;
  }

  /** Records that the reader serves a partition from now on, and delivers to it after this sequence. */
  serves(partition: number, behind: number): void {
    if (!this.#served.has(partition)) this.#served.set(partition, behind);
  }

  /** True if the reader has served partitions since the last answered check, or if a check is in progress. */
  get isDue(): boolean {
    return this.#served.size > 0 || this.#look !== undefined;
  }

  /**
   * Checks the reader, and reports the findings. Each caller gets the answer to a request that was sent after its call. The answer
   * therefore confirms all earlier deliveries. Resolves with false if there was no answer.
   *
   * @param isUrgent true to skip the pause, because a drain waits for the answer.
   */
  look(isUrgent = false): Promise<boolean> {
    if (isUrgent) {
      this.#nextLookAt = 0;
      this.#hurry?.();
    }
    const mayLook = this.#ports.clock.now() >= this.#nextLookAt;
    if (!this.#look && !this.#nextLook && mayLook) return this.#lookNow();
    this.#nextLook ??= this.#lookLater();
    return this.#nextLook;
  }

  /** Makes the last checks of a reader that has ended. The caller removes the reader after this promise has resolved. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (let tries = 0; this.#served.size > 0 && tries < LAST_LOOKS; tries++) await this.look();
  }

  async #lookLater(): Promise<boolean> {
    const { clock } = this.#ports;
    let isHurried = false;
    const hurried = new Promise<void>((resolve) => {
      this.#hurry = () => {
        isHurried = true;
        resolve();
      };
    });
    await this.#look;
    const restMs = this.#nextLookAt - clock.now();
    if (restMs > 0 && !isHurried) await Promise.race([sleep(clock, restMs), hurried]);
    this.#nextLook = undefined;
    this.#hurry = undefined;
    return this.#lookNow();
  }

  #lookNow(): Promise<boolean> {
    const { clock } = this.#ports;
    const sentAt = clock.now();
    this.#look = this.#lookForChange().finally(() => {
      const now = clock.now();
      this.#look = undefined;
      this.#nextLookAt = now + Math.min(REST * (now - sentAt), MOST_REST_MS);
    });
    return this.#look;
  }

  async #lookForChange(): Promise<boolean> {
    const { stream, reading, serving, settle } = this.#ports;
    const { name, delivered: before = 0 } = reading() ?? {};
    const served = this.#served;
    this.#served = new Map(serving());
    const [found, isSettled] = await Promise.all([
      name === undefined ? undefined : stream.inspect(name, null),
      settle(),
    ]);
    if (typeof found === 'object' && found.change !== undefined) {
      const doubtful = new Map([...this.#served, ...served]);
      this.#served.clear();
      this.#events.changed(doubtful, found.change);
      return true;
    }
    const isAnswered = (found !== undefined || reading() === undefined) && isSettled;
    if (!isAnswered) this.#served = new Map([...this.#served, ...served]);
    if (typeof found !== 'object' || this.#isEnding) return isAnswered;
    // Messages may still be in flight. They count as missing only if two checks in a row miss them.
    const isMissing = found.delivered > before && (reading()?.delivered ?? 0) === before;
    if (isMissing && this.#missingAfter === before) this.#events.pulled();
    this.#missingAfter = isMissing ? before : undefined;
    return isAnswered;
  }
}
