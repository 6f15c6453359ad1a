import type { PositionMark } from '../../protocol/position-mark.js';
import type { RunnerStatus } from '../partition/contract.js';
import type { PartitionRunner } from '../partition/runner.js';
import { committedIn, type LossesLeft } from '../partition/takeover.js';

/** The progress of an ended runner. */
export interface EndedRunner {
  epoch: number;
  status: RunnerStatus;
  losses: LossesLeft;
  /** See {@link PartitionRunner.isCertain}. */
  isCertain: boolean;
}

/** Remembers the progress of runners that have ended, and which of their handlers still run. The next runner under the same epoch continues there. */
export class EndedRunners {
  /** The last ended runner of each partition. */
  readonly #last = new Map<number, EndedRunner>();
  /** For each partition, the position that this member had committed before the runner in `#last` started. */
  readonly #known = new Map<number, PositionMark>();
  /** Partitions that this member owned when the bucket lost data. */
  readonly #owned = new Set<number>();
  /** Handlers that have not ended yet, by partition. */
  readonly #leftovers = new Map<number, Promise<void>>();
  /** Resolves when all handlers of earlier layouts have ended. */
  #earlier: Promise<unknown> = Promise.resolve();

  /** Aborts a runner, and remembers its progress. */
  add(partition: number, epoch: number, runner: PartitionRunner, reason: string): void {
    const { status, losses, isCertain } = runner;
    const ended = { epoch, status, losses, isCertain };
    this.#keep(partition);
    this.#last.set(partition, ended);
    const settled = Promise.all([this.#leftovers.get(partition), runner.abort(reason)]);
    const leftover = settled.then(() => {
      // A handler can still succeed after the abort. Its message must not be handled again under the same epoch.
      ended.status = runner.status;
      ended.losses = runner.losses;
      if (this.#leftovers.get(partition) === leftover) this.#leftovers.delete(partition);
    });
    this.#leftovers.set(partition, leftover);
  }

  /** Resolves when the next runner of a partition no longer has to wait for handlers. */
  async settled(partition: number): Promise<void> {
    await Promise.all([this.#earlier, this.#leftovers.get(partition)]);
  }

  /** The last runner of a partition under this epoch; undefined if there was none. */
  of(partition: number, epoch: number): EndedRunner | undefined {
    const last = this.#last.get(partition);
    return last?.epoch === epoch ? last : undefined;
  }

  /** True if the runner of this epoch has handled more than it committed, or its handlers still run. */
  isOwing(partition: number, epoch: number): boolean {
    const last = this.of(partition, epoch);
    if (!last) return false;
    return last.status.position > last.status.committed || this.#leftovers.has(partition);
  }

  /** The position that ended runners of a partition last committed, under any epoch; sequence 0 if unknown. */
  committed(partition: number): PositionMark {
    const status = this.#last.get(partition)?.status;
    // A runner that never took over the position has committed nothing.
    if (status && status.committed > 0) return committedIn(status);
    return this.#known.get(partition) ?? { sequence: 0 };
  }

  #keep(partition: number): void {
    this.#known.set(partition, this.committed(partition));
  }

  /** Switches to the partitions of another layout. The new runners wait for all handlers of earlier partitions. */
  begin(): void {
    this.#earlier = Promise.all([this.#earlier, ...this.#leftovers.values()]);
    this.#leftovers.clear();
    this.#last.clear();
    this.#known.clear();
    this.#owned.clear();
  }

  /** See {@link Runners.forget}. */
  forget(owned: readonly number[]): number[] {
    for (const partition of this.#last.keys()) this.#keep(partition);
    this.#last.clear();
    for (const partition of owned) this.#owned.add(partition);
    return [...this.#owned];
  }
}
