import { type Clock, systemClock } from '../clock.js';
import { MAX_TTL_MS } from '../group/timing.js';

/**
 * A session that ends leaves a deletion marker in the bucket. It has to stay for a while, so that whoever was away
 * learns of the end, and so that a late write of that session fails. Nothing needs it after that; but every member that
 * joins reads all of them. Twice the longest ttl: what was written before a marker of this age, no live session needs.
 */
export const SWEEP_AGE_MS = 2 * MAX_TTL_MS;
/** Members look when they join, and this often afterwards. */
const SWEEP_EVERY_MS = 3_600_000;
/** Fewer markers than this are not worth a member's request. */
const WORTHWHILE = 16;

/** The newest entry of one session's key. Times of one clock, milliseconds. */
export interface SessionTrace {
  revision: number;
  ended: boolean;
  atMs: number;
}

/** What is to be swept: every entry of sessions below this revision. */
export interface SweepPlan {
  below: number;
  markers: number;
}

/**
 * Which markers can go: those that are old, and below the newest entry of every session that has not ended. Revisions
 * only grow, so nothing that is written later is ever below that.
 */
export function planSweep(traces: readonly SessionTrace[], nowMs: number): SweepPlan {
  let bound = Number.POSITIVE_INFINITY;
  for (const { revision, ended, atMs } of traces) {
    if (!ended || nowMs - atMs < SWEEP_AGE_MS) bound = Math.min(bound, revision);
  }
  const old = traces.filter(({ revision }) => revision < bound);
  const newest = old.reduce((max, { revision }) => Math.max(max, revision), 0);
  return { below: newest + 1, markers: old.length };
}

/** The traces of one group's sessions in the bucket. */
export interface SessionTraces {
  /** All of them, and the server's time on their clock. Rejects where they cannot be read. */
  read(): Promise<{ traces: SessionTrace[]; nowMs: number }>;
  /** Deletes the entries of the group's sessions below a revision. Rejects where that is not done. */
  purge(below: number): Promise<void>;
}

/**
 * Sweeps once.
 *
 * @returns how many markers went; 0 where there were fewer than `atLeast`.
 */
export async function sweep(traces: SessionTraces, atLeast = 1): Promise<number> {
  const found = await traces.read();
  const { below, markers } = planSweep(found.traces, found.nowMs);
  if (markers < atLeast) return 0;
  await traces.purge(below);
  return markers;
}

/**
 * Sweeps now and every hour, until the returned function is called. What goes wrong is left to the next time or the
 * next member: a member that is not permitted to purge is none the worse for it.
 *
 * @param random a number from 0 to 1: members that joined together do not stay together.
 */
export function keepSweeping(
  traces: SessionTraces,
  { clock = systemClock, random = Math.random }: { clock?: Clock; random?: () => number } = {},
): () => void {
  let stopped = false;
  let cancel = (): void => {};
  const run = async (): Promise<void> => {
    await sweep(traces, WORTHWHILE).catch(() => {});
    if (!stopped) cancel = clock.at(clock.now() + SWEEP_EVERY_MS * (0.75 + random() / 2), () => void run());
  };
  void run();
  return () => {
    stopped = true;
    cancel();
  };
}
