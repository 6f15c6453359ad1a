import type { HandlerContext } from './handler.js';

/** Limits the calls that run at the same time in all partitions of a member. */
export interface CallLimit {
  /** True if a call may start. */
  readonly hasRoom: boolean;
  /** Why a call must not start, as text for people. */
  readonly reason: string;
  /** A call starts. */
  take(call: HandlerContext): void;
  /** This call has ended. */
  giveBack(call: HandlerContext): void;
  /** Calls back once when there is room, after all callbacks that already wait. A callback that already waits is not added again. */
  whenRoom(resume: () => void): void;
}

/** Callbacks that wait for room, in order. */
export class RoomQueue {
  readonly #waiting = new Set<() => void>();
  #isWaking = false;

  add(resume: () => void): void {
    this.#waiting.add(resume);
  }

  /** Calls waiting callbacks, as long as there is room. */
  wake(hasRoom: () => boolean): void {
    // A callback may give its room back at once. Then the loop that called it goes on, so that callbacks are not nested.
    if (this.#isWaking) return;
    this.#isWaking = true;
    try {
      for (const resume of this.#waiting) {
        if (!hasRoom()) return;
        this.#waiting.delete(resume);
        resume();
      }
    } finally {
      this.#isWaking = false;
    }
  }
}

/** Permits a fixed number of parallel calls. Waiting partitions take turns. */
export class Slots implements CallLimit {
  readonly reason = 'all handlers that this member may run at the same time are busy';
  readonly #queue = new RoomQueue();
  #free: number;

  constructor(calls: number) {
    this.#free = calls;
  }

  get hasRoom(): boolean {
    return this.#free > 0;
  }

  take(): void {
    this.#free--;
  }

  giveBack(): void {
    this.#free++;
    this.#queue.wake(() => this.hasRoom);
  }

  whenRoom(resume: () => void): void {
    this.#queue.add(resume);
  }
}
