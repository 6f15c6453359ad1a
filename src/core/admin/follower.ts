import { messageOf, type NatspocError } from '../lib/errors.js';
import { onAbort } from '../lib/on-abort.js';
import { callSheltered } from '../lib/promise-of.js';
import { standardError } from '../member/note-logger.js';
import type { Watch, WatchSink } from '../ports/index.js';
import type { BucketEntry } from '../protocol/entries.js';
import { decodeEntries } from '../protocol/entries.js';
import type { ViewEntry } from '../protocol/events.js';
import { type GroupChange, GroupEntries } from './group-entries.js';

/** A source of a group's entries that a follower can watch. */
export interface GroupSource {
  watch(sink: WatchSink): Watch;
}

/** Follows the sessions, leases and overrides of a group from outside. */
export class GroupFollower extends GroupEntries {
  readonly #watch: Watch;
  #isReady = false;
  #failure: NatspocError | undefined;
  readonly #waiting = new Set<() => void>();

  /** `onChange` receives each change after the first snapshot. */
  constructor(source: GroupSource, group: string, onChange: (change: GroupChange) => void = () => {}) {
    super();
    const decode = (entries: readonly BucketEntry[]): ViewEntry[] => decodeEntries(group, entries, () => {});
    this.#watch = source.watch({
      snapshot: (entries) => {
        for (const change of this.applySnapshot(decode(entries), Date.now()))
          if (this.#isReady) onChange(change);
        this.#isReady = true;
        this.#wake();
      },
      changes: (entries) => {
        for (const entry of decode(entries)) {
          const change = this.apply(entry, Date.now());
          if (change && this.#isReady) onChange(change);
        }
        this.#wake();
      },
      failed: (error) => {
        this.#failure = error;
        this.#wake();
      },
    });
  }

  stop(): void {
    this.#watch.stop();
  }

  /**
   * Resolves with true when the condition holds, or with false after `withinMs` or when `signal` aborts.
   *
   * @throws NatspocError if the group cannot be watched any more.
   */
  async until(condition: () => boolean, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#isReady && condition()) return true;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || signal?.aborted) return false;
      await this.#change(leftMs, signal);
    }
  }

  /** Resolves at the next change, after `withinMs`, or when `signal` aborts. */
  #change(withinMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        forget();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(withinMs, 2 ** 31 - 1));
      const forget = onAbort(signal, wake);
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** Wraps a program's listener so that it never throws. The listener's errors are written to standard error. */
export function shelteredListener(
  group: string,
  onChange: (change: GroupChange) => void,
): (change: GroupChange) => void {
  const failed = (error: unknown): void =>
    standardError.error({}, `a listener of group ${group} failed: ${messageOf(error)}`);
  return (change) => callSheltered(() => onChange(change), failed);
}
