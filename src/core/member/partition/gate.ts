import type { Clock } from '../../lib/clock.js';
import type { Caution } from './caution.js';
import type { Entry } from './key-queues.js';
import type { Pauses } from './pauses.js';
import type { Permit } from './permit.js';
import type { Quota } from './quota.js';
import type { CallLimit } from './slots.js';
import type { TimeSlice } from './time-slice.js';

/** The dependencies of a {@link Gate}. */
export interface GatePorts {
  clock: Clock;
  permit: Permit;
  slice: TimeSlice;
  quota?: Quota | undefined;
  /** The limit on calls in all partitions together; absent if there is no limit. */
  slots?: CallLimit | undefined;
  /** Absent if partitions cannot be paused. */
  pauses?: Pauses | undefined;
}

/** Why a partition starts no calls: the program has paused it, or there is another `reason`. */
export type HeldBack = { paused: true } | { paused: false; reason: string };

/** Decides whether a call of one partition may start now, and calls back when it may. */
export class Gate {
  readonly #partition: number;
  readonly #ports: GatePorts;
  readonly #resume: () => void;

  /** @param resume called when a call may be possible again. */
  constructor(partition: number, ports: GatePorts, resume: () => void) {
    this.#partition = partition;
    this.#ports = ports;
    this.#resume = resume;
  }

  /** Why no call may start: a pause, or the limit on calls; undefined if neither applies. */
  get held(): HeldBack | undefined {
    const { slots, pauses } = this.#ports;
    if (pauses?.isPaused(this.#partition)) return { paused: true };
    return slots?.hasRoom === false ? { paused: false, reason: slots.reason } : undefined;
  }

  /**
   * True if a call may start now. Otherwise calls back when one may. The time slice is checked first. A partition without one waits for its
   * turn even while the permit is closed.
   */
  mayStart(caution: Caution | undefined): boolean {
    const { clock, permit, slice, slots, pauses } = this.#ports;
    const now = clock.now();
    if (!slice.has(now, this.#resume)) slice.whenNext(this.#resume);
    else if (!permit.isOpenAt(now)) permit.whenOpen(this.#resume);
    else if (pauses?.isPaused(this.#partition)) pauses.whenResumed(this.#partition, this.#resume);
    else if (slots?.hasRoom === false) slots.whenRoom(this.#resume);
    else return caution?.mayStart(this.#resume) ?? true;
    return false;
  }

  /** Counts a message against the quota; false if the message has to wait. */
  admit(): boolean {
    const { quota } = this.#ports;
    if (!quota || quota.take()) return true;
    quota.whenAny(this.#resume);
    return false;
  }

  /** The first messages of `due`, as many as the quota permits. */
  admitted(due: readonly Entry[]): readonly Entry[] {
    const end = due.findIndex((entry) => {
      entry.admitted ||= this.admit();
      return !entry.admitted;
    });
    return end < 0 ? due : due.slice(0, end);
  }

  /** Returns a message to the quota because this member will not handle it. */
  leave(entry: Entry): void {
    if (entry.admitted) this.#ports.quota?.giveBack();
    entry.admitted = false;
  }
}
