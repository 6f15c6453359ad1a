import type { Call, CallObserver } from '../model/handler.js';
import type { Judge } from './judge.js';

/** How long one partition may keep the event loop while others of the same member wait, without its last call. */
const TURN_MS = 100;

/** What is known of a partition with messages in memory. */
interface Backlog {
  epoch: number;
  /** How long other partitions were served since this one could have been; undefined: it could not be. */
  passedOverMs: number | undefined;
  running: number;
  /** A message has failed and rests before it is tried again: nothing is judged until all have been handled. */
  hasFailed: boolean;
}

/**
 * Judges how one member shares its event loop between partitions whose handlers compute (I12): none with messages waits
 * for longer than the others need for a turn each.
 */
export class Fairness implements CallObserver {
  readonly #judge: Judge;
  readonly #held: (partition: number) => number | undefined;
  readonly #backlogs = new Map<number, Backlog>();
  #most = 1;
  #longestMs = 0;

  /** `held`: how many messages of a partition are in memory; undefined while it is not running. */
  constructor(judge: Judge, held: (partition: number) => number | undefined) {
    this.#judge = judge;
    this.#held = held;
  }

  /** A reader is open: what came from earlier ones may be forgotten, but not a call that still runs. */
  opened(partition: number): void {
    const backlog = this.#backlogs.get(partition);
    if (!backlog?.running) this.#backlogs.delete(partition);
    else backlog.passedOverMs = undefined;
  }

  /** A message is about to be given to its partition. */
  arrives(partition: number): void {
    const backlog = this.#backlogs.get(partition);
    if (!backlog) {
      this.#backlogs.set(partition, { epoch: 0, passedOverMs: 0, running: 0, hasFailed: false });
      return;
    }
    if (this.#held(partition) === 0) {
      backlog.hasFailed = false;
      // Handled out of order, the last of them seemed to leave others behind.
      backlog.passedOverMs = undefined;
    }
    if (!backlog.hasFailed && backlog.running === 0) backlog.passedOverMs ??= 0;
  }

  started({ partition, epoch }: Call): void {
    const backlog = this.#backlogs.get(partition);
    if (!backlog) return;
    backlog.epoch = epoch;
    backlog.passedOverMs = undefined;
    backlog.running++;
  }

  ended({ partition, busyMs }: Call, how: 'handled' | 'failed' | 'stopped'): void {
    const backlog = this.#backlogs.get(partition);
    if (backlog) {
      backlog.running = Math.max(0, backlog.running - 1);
      if (how !== 'handled') backlog.hasFailed = true;
      // The message that has just been handled is still counted.
      const waits = !backlog.hasFailed && backlog.running === 0 && (this.#held(partition) ?? 0) > 1;
      backlog.passedOverMs = waits ? 0 : undefined;
    }
    if (busyMs > 0) this.#pass(partition, busyMs);
  }

  #pass(served: number, forMs: number): void {
    this.#longestMs = Math.max(this.#longestMs, forMs);
    this.#most = Math.max(this.#most, this.#backlogs.size);
    const boundMs = (this.#most + 1) * (TURN_MS + this.#longestMs);
    for (const [partition, backlog] of this.#backlogs) {
      if (partition === served || backlog.passedOverMs === undefined) continue;
      backlog.passedOverMs += forMs;
      if (backlog.passedOverMs <= boundMs) continue;
      if ((this.#held(partition) ?? 0) > 0) {
        const passedMs = Math.round(backlog.passedOverMs);
        this.#judge.violate(
          'I12',
          `p${partition} waits while other partitions are served for ${passedMs} ms`,
        );
      } else this.#backlogs.delete(partition);
    }
  }
}
