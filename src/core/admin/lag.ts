import { mapConcurrently } from '../lib/concurrently.js';
import { aboutCount } from '../lib/units.js';
import type { WaitingFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';

/** Maximum number of parallel counts. Each count creates a short-lived consumer on the server. */
const CONCURRENT_COUNTS = 16;

/** A lag as text: `1 message waits`, `1,204 messages wait`, `~25 messages wait`. */
export const describeLag = (lag: number, isEstimate: boolean): string =>
  `${aboutCount(lag, isEstimate)} ${lag === 1 ? 'message waits' : 'messages wait'}`;

/** A partition's last handled sequence (`position`) and last stored sequence (`end`); each is null if there is none. */
export interface LagInput {
  partition: number;
  position: number | null;
  end: number | null;
}

type Counted = Omit<WaitingFacts, 'partition' | 'after'>;

/** Messages that wait in a partition. */
export interface Lag {
  lag: number;
  /** Only for a keyed group: the exact number of messages of all its partitions after the position. `lag` is then an estimate. */
  unread?: number;
  /** Present if the lag is an estimate, because the stream has no room for a consumer that counts. */
  isEstimate?: true;
  /** When the first waiting message was stored, in milliseconds since 1970; null if none waits, or if the time is unknown. */
  oldestAtMs: number | null;
}

/**
 * The number of messages that wait in each partition. Sequences are those of the whole stream, so end and position only show whether
 * messages wait. The server counts them.
 */
export async function readLags(
  observer: Pick<GroupObserver, 'waiting'>,
  partitions: readonly LagInput[],
): Promise<Map<number, Lag>> {
  const lags = new Map<number, Lag>();
  await mapConcurrently(partitions, CONCURRENT_COUNTS, async ({ partition, position, end }) => {
    const none = end === null || (position !== null && position >= end);
    const { count, ofGroup, isEstimate, storedAtMs }: Counted = none
      ? { count: 0 }
      : await observer.waiting(partition, position ?? 0);
    const oldestAtMs = count > 0 ? (storedAtMs ?? null) : null;
    lags.set(partition, {
      lag: count,
      oldestAtMs,
      ...(ofGroup !== undefined && { unread: ofGroup }),
      ...(isEstimate && { isEstimate }),
    });
  });
  return lags;
}
