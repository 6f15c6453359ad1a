import type { Clock } from '../../lib/clock.js';
import { type HoldUp, holdUp } from '../../protocol/hold-up.js';
import type { OwnPartition } from '../../protocol/state.js';
import type { RunnerActivity, RunnerStatus } from '../partition/contract.js';
import type { Standing } from './standstill.js';

/** A partition that could not be started or read. */
interface Failed {
  since: number;
  reason: string;
}

interface Facts extends Pick<OwnPartition, 'phase' | 'retryAt'> {
  partition: number;
  status: RunnerStatus;
  /** The message that failed in the partition's runner, if any. */
  failing: HoldUp | undefined;
  /** The message whose handler runs, if any. */
  running: RunnerActivity['running'][number] | undefined;
  standing: Standing | undefined;
}

/** Remembers why each partition of a member is held up, even after the partition's runner has ended. */
export class HoldUps {
  readonly #clock: Clock;
  readonly #failed = new Map<number, Failed>();
  readonly #halted = new Map<number, HoldUp & { readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records that a partition could not be started, or cannot be read at the moment. */
  failed(partition: number, reason: string): void {
    const since = this.#failed.get(partition)?.since ?? this.#clock.now();
    this.#failed.set(partition, { since, reason });
  }

  /** Records that a partition halted. `held` is the message that caused the halt, if any. */
  halted(partition: number, reason: string, held?: HoldUp): void {
    this.#failed.delete(partition);
    this.#halted.set(partition, {
      ...(held ?? holdUp({ why: 'halted', reason, forMs: 0 })),
      at: this.#clock.now(),
    });
  }

  /** Why a partition halted; undefined if it did not halt. */
  haltedAt(partition: number): HoldUp | undefined {
    return this.#halted.get(partition);
  }

  /** Records that a partition has started and is being read. */
  started(partition: number): void {
    this.#failed.delete(partition);
    this.#halted.delete(partition);
  }

  /** Why a partition could not be started or read; undefined if there was no failure. */
  failureOf(partition: number): string | undefined {
    return this.#failed.get(partition)?.reason;
  }

  /** The reason why a partition of this member is held up; undefined if it is not held up. */
  of({ partition, phase, retryAt, status, failing, running, standing }: Facts): HoldUp | undefined {
    const now = this.#clock.now();
    if (phase === 'halted') {
      const { at, ...held } = this.#halted.get(partition) ?? {};
      return at === undefined ? undefined : holdUp({ ...NO_REASON, ...held, forMs: now - at });
    }
    if (failing) return failing;
    const failed = this.#failed.get(partition);
    const isStarting = phase === 'starting' || phase === 'waiting' || status.state === 'waiting';
    if (failed && isStarting) {
      const nextInMs = phase === 'waiting' ? retryAt - now : undefined;
      return holdUp({ why: 'starting', reason: failed.reason, forMs: now - failed.since, nextInMs });
    }
    return standing && holdUp({ ...standing, sequence: running?.sequence, key: running?.key });
  }
}

const NO_REASON = { why: 'halted', reason: '', forMs: 0 } as const;
