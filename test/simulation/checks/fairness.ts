import type { Call, CallObserver } from '../model/handler.js';
import type { Judge } from './judge.js';

/** While other partitions of a member wait, a partition may start calls for this long. Its last call can end later. */
const TURN_MS = 100;

interface Backlog {
  epoch: number;
  /** How long other partitions were served while this one was ready. Undefined if it was not ready. */
  passedOverMs: number | undefined;
  running: number;
  /** True if a failed message waits for its next attempt. Then nothing is judged until all messages are handled. */
  hasFailed: boolean;
}

/**
 * Judges I12: how a member shares its event loop between partitions whose handlers compute. A partition with messages waits at most for one
 * time slice of each other partition.
 */
export class Fairness implements CallObserver {
  readonly #judge: Judge;
  readonly #held: (partition: number) => number | undefined;
  readonly #waits: (partition: number) => boolean;
  readonly #backlogs = new Map<number, Backlog>();
  #most = 1;
  #longestMs = 0;

  /**
   * @param held returns how many messages of a partition are in memory. Returns undefined while the partition does not run.
   * @param waits returns true if a partition may wait for its commits, because owners have died at its position.
   */
  constructor(
    judge: Judge,
    held: (partition: number) => number | undefined,
    waits: (partition: number) => boolean,
  ) {
    this.#judge = judge;
    this.#held = held;
    this.#waits = waits;
  }

  resized(): void {
    this.#backlogs.clear();
  }

  /** A reader was opened. Messages of earlier readers may be dropped, but a running call continues. */
  opened(partition: number): void {
    const backlog = this.#backlogs.get(partition);
    if (!backlog?.running) this.#backlogs.delete(partition);
    else backlog.passedOverMs = undefined;
  }

  arrives(partition: number): void {
    const backlog = this.#backlogs.get(partition);
    if (!backlog) {
      this.#backlogs.set(partition, { epoch: 0, passedOverMs: 0, running: 0, hasFailed: false });
      return;
    }
    if (this.#held(partition) === 0) {
      backlog.hasFailed = false;
      // If messages are handled out of order, a partition can seem to have a waiting message. Time without one does not count.
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
      // The message of the ended call still counts as held.
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
      if ((this.#held(partition) ?? 0) > 0 && !this.#waits(partition)) {
        const passedMs = Math.round(backlog.passedOverMs);
        this.#judge.violate(
          'I12',
          `p${partition} waits while other partitions are served for ${passedMs} ms`,
        );
      } else this.#backlogs.delete(partition);
    }
  }
}
