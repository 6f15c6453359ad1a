import { type Clock, sleep } from '../../lib/clock.js';
import type { EventStream } from '../../ports/index.js';

/**
 * The pause after a look: `REST` times as long as the look took, at most `MOST_REST_MS`. While nats-server 2.9 counts the waiting
 * messages of a reader, it delivers none, and in the newest part of a stream counting takes 10 ms.
 */
const REST = 4;
const MOST_REST_MS = 50;

/** How often to check a reader that must be removed, if there is no answer. */
const LAST_LOOKS = 3;

/** What {@link ChangeLooks} work with. */
export interface ChangeLooksPorts {
  clock: Clock;
  stream: Pick<EventStream, 'inspect'>;
  /** The reader, and how many messages it has delivered; undefined if it is not open yet. */
  reading: () => { name: string; delivered: number } | undefined;
  /** The partitions that the reader serves now, and after which sequences. */
  serving: () => ReadonlyMap<number, number>;
  /**
   * Resolves when it is certain that no passed-over message was lost, or when the loss is reported. False if there was
   * no answer.
   */
  settle: () => Promise<boolean>;
}

/** What a look may find. */
export interface ChangeLooksEvents {
  /**
   * Another client had changed the reader: its deliveries to these partitions, after these sequences, are in
   * doubt.
   */
  changed(partitions: ReadonlyMap<number, number>, reason: string): void;
  /** Another client has pulled messages from the reader. */
  pulled(): void;
}

/**
 * Looks whether another client has changed a shared reader, before its deliveries are committed. This works even after the reader
 * has ended, because the server keeps it for a while.
 */
export class ChangeLooks {
  readonly #ports: ChangeLooksPorts;
  readonly #events: ChangeLooksEvents;
  /** The partitions that the reader has served since the last look, and after which sequence. */
  #served = new Map<number, number>();
  /** The number of received messages at a look that showed more deliveries. */
  #missingAfter: number | undefined;
  /** The look that is under way, the next look, and when the next look may begin. */
  #look: Promise<boolean> | undefined;
  #nextLook: Promise<boolean> | undefined;
  #nextLookAt = 0;
  /** Ends the pause before the next look, if there is one. */
  #hurry: (() => void) | undefined;
  #isEnding = false;

  constructor(ports: ChangeLooksPorts, events: ChangeLooksEvents) {
    this.#ports = ports;
    this.#events = events;
  }

  /** The reader serves a partition from now on, after this sequence. */
  serves(partition: number, behind: number): void {
    if (!this.#served.has(partition)) this.#served.set(partition, behind);
  }

  /** True if the reader has served partitions since the last answered look, or a look is under way. */
  get isDue(): boolean {
    return this.#served.size > 0 || this.#look !== undefined;
  }

  /**
   * Looks, and reports what it finds. Each caller gets the answer to a request that was sent after its call, so
   * the answer confirms all earlier deliveries. False if there was no answer.
   *
   * @param isUrgent true if the look must not wait for the pause, because a drain waits for the answer.
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

  /** The reader has ended. It is removed when this promise resolves. */
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
    // Messages that the server has just sent may still be in flight, so they have to be missing twice.
    const isMissing = found.delivered > before && (reading()?.delivered ?? 0) === before;
    if (isMissing && this.#missingAfter === before) this.#events.pulled();
    this.#missingAfter = isMissing ? before : undefined;
    return isAnswered;
  }
}
