import { type Clock, systemClock } from '../lib/clock.js';
import { mapConcurrently } from '../lib/concurrently.js';
import type { PartitionTrace, PartitionTraces } from '../ports/partition-traces.js';
import type { SessionTrace, SessionTraces } from '../ports/session-traces.js';
import { MAX_TTL_MS } from '../protocol/timing.js';

/**
 * A session that ends leaves two deletion markers in the bucket: its own, and that of its proof of life. They must stay for a while.
 * Disconnected members must learn of the end, and a late write of the session must fail. Later the markers are useless, but every joining
 * member still reads them. Members therefore remove markers that are older than twice the longest ttl. The proof of life of a connected
 * member is never that old.
 */
export const SWEEP_AGE_MS = 2 * MAX_TTL_MS;
/** Members sweep when they join, and then at this interval. */
const SWEEP_EVERY_MS = 3_600_000;
/** Minimum number of sessions or keys that a regular sweep removes. Removing fewer is not worth the requests. */
const WORTHWHILE = 16;
const CONCURRENT_PURGES = 4;

/**
 * The traces to remove: old markers, and old proofs of life without a session. A proof of life has no session if its member died between
 * two writes. Entries of an existing session stay, even if they are old. The group must still fence this session.
 */
export function planSweep(traces: readonly SessionTrace[], nowMs: number): SessionTrace[] {
  const living = new Set(traces.flatMap(({ kind, id, ended }) => (kind === 'session' && !ended ? [id] : [])));
  return traces.filter(({ id, atMs }) => !living.has(id) && nowMs - atMs >= SWEEP_AGE_MS);
}

/**
 * Sweeps once.
 *
 * @returns the number of sessions whose traces were removed; 0 if there were fewer than `atLeast`.
 */
export async function sweep(traces: SessionTraces, atLeast = 1): Promise<number> {
  const found = await traces.read();
  const old = planSweep(found.traces, found.nowMs);
  const sessions = new Set(old.map(({ id }) => id));
  if (sessions.size < atLeast) return 0;
  await mapConcurrently(old, CONCURRENT_PURGES, (trace) => traces.purge(trace));
  return sessions.size;
}

/**
 * The old traces of partitions that the layout no longer has. Traces are positions, records of trims, markers of pins and pauses, and all
 * entries of a lease except the newest. A pin or pause in effect is kept. Members would take its disappearance for a loss of data. The next
 * resize removes pins and pauses of partitions that the layout no longer has.
 */
export function planPartitionSweep(
  traces: readonly PartitionTrace[],
  partitions: number,
  nowMs: number,
): PartitionTrace[] {
  return traces.filter(
    ({ kind, partition, ended, entries, atMs }) =>
      partition >= partitions &&
      nowMs - atMs >= SWEEP_AGE_MS &&
      (kind === 'lease' ? entries > 1 : kind !== 'override' || ended),
  );
}

/**
 * Sweeps the traces of partitions that the layout no longer has.
 *
 * @returns the number of keys whose entries were removed; 0 if there were fewer than `atLeast`.
 */
export async function sweepPartitions(partitions: PartitionTraces, atLeast = 1): Promise<number> {
  const found = await partitions.read();
  if (!found) return 0;
  const old = planPartitionSweep(found.traces, found.partitions, found.nowMs);
  if (old.length < atLeast) return 0;
  await mapConcurrently(old, CONCURRENT_PURGES, (trace) => partitions.purge(trace));
  return old.length;
}

/**
 * Sweeps now and every hour, until the returned function is called. Failures are ignored, because a later sweep or another member removes
 * the rest. A member without the permission to purge therefore works normally.
 *
 * @param random returns a number from 0 to 1. Members that joined together therefore sweep at different times.
 */
export function keepSweeping(
  traces: SessionTraces,
  partitions: PartitionTraces,
  { clock = systemClock, random = Math.random }: { clock?: Clock; random?: () => number } = {},
): () => void {
  let stopped = false;
  let cancel = (): void => {};
  const run = async (): Promise<void> => {
    await sweep(traces, WORTHWHILE).catch(() => {});
    await sweepPartitions(partitions, WORTHWHILE).catch(() => {});
    if (!stopped) cancel = clock.at(clock.now() + SWEEP_EVERY_MS * (0.75 + random() / 2), () => void run());
  };
  void run();
  return () => {
    stopped = true;
    cancel();
  };
}
