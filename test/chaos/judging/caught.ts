import { keys } from '../../../src/core/protocol/keys.js';
import type { Call, History, Span } from '../recording/history.js';

/**
 * A call within this time after a break, in milliseconds, may have started before the break. It must be the first record after the break.
 */
const WAKE_MS = 500;
/** Breaks below this many milliseconds do not cost a lease. */
const BREAK_MS = 500;

/**
 * A process can be stopped between its last check of the permit and the first record of its handler. The recorded time of such a call is
 * after the stop, although the call started before it. The judge assumes this if the process recorded nothing between the start of the
 * break and the call. Only the first call after a break is excused, with the other messages of its batch: the permit is checked once for a
 * batch.
 */
export function settleStarts({ calls, faults, lives, bucket, ...rest }: History): History {
  const writtenAt = new Map(bucket.map(({ key, revision, at }) => [`${key} ${revision}`, at]));
  /** True if the process had the partition under this epoch before the break. */
  const isOwner = ({ partition, epoch }: Call, from: number): boolean =>
    (writtenAt.get(`${keys.lease(rest.settings.group, partition)} ${epoch}`) ?? Number.POSITIVE_INFINITY) <
    from;
  const breaks = new Map<string, Span[]>();
  for (const { name, stalls } of lives) {
    const stops = faults.filter(({ kind, target }) => target === name && kind.endsWith('-stop'));
    breaks.set(
      name,
      [...stops, ...stalls].filter(({ from, to }) => to - from >= BREAK_MS),
    );
  }
  const byProcess = new Map<string, Call[]>();
  for (const call of calls) {
    const list = byProcess.get(call.process);
    if (list) list.push(call);
    else byProcess.set(call.process, [call]);
  }
  const moved = new Map<Call, Call>();
  for (const [name, list] of byProcess) {
    for (const { from, to } of breaks.get(name) ?? []) {
      const first = list.findIndex((call) => call.from > from);
      const call = list[first];
      if (!call || call.from > to + WAKE_MS) continue;
      // A call after a new join has a new epoch, and is not excused.
      const had = list.slice(0, first).some((before) => isSameTenure(before, call));
      if (!had && !isOwner(call, from)) continue;
      const ends = list.slice(Math.max(0, first - 100), first).map((before) => before.to);
      if (!ends.every((end) => end <= from || end >= call.from)) continue;
      const batch = list.slice(first).filter((each) => each.batch === call.batch);
      // The calls of a batch do not overlap. The last one covers the time after the break.
      for (const each of batch)
        moved.set(each, { ...each, from, to: each === batch.at(-1) ? each.to : from });
    }
  }
  const settled = calls.map((call) => moved.get(call) ?? call).sort((a, b) => a.from - b.from);
  return { ...rest, faults, lives, bucket, calls: settled };
}

const isSameTenure = (a: Call, b: Call): boolean => a.partition === b.partition && a.epoch === b.epoch;
