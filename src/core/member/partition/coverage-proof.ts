import type { Clock } from '../../lib/clock.js';
import type { Coverage, EventStream, StreamBounds } from '../../ports/index.js';
import type { TrimWatch } from './stream-losses.js';

/** How old, in milliseconds, the state of the stream may be that decides whether a proof is due. */
const RECENT_MS = 5_000;
/** A proof is repeated after this time, in milliseconds, if the stream has grown. */
const REPEAT_AFTER_MS = 10_000;

/** The dependencies of {@link CoverageProof}. */
export interface CoveragePorts {
  clock: Clock;
  stream: Pick<EventStream, 'bounds' | 'newest'>;
  /** The partition; null: the reader reads all partitions. */
  partition: number | null;
  trimWatch: TrimWatch;
}

/**
 * Proves that the stream stores no message of a partition between the last received message and the end of the stream. While a partition
 * gets no messages, the stream may drop the messages of other partitions after the position. Without a proof, a later owner could not tell
 * these messages from lost messages of the partition. So a proof is made before the stream may drop the message after the position.
 */
export class CoverageProof {
  readonly #ports: CoveragePorts;
  /** When the last proof was made. */
  #provedAt = Number.NEGATIVE_INFINITY;

  constructor(ports: CoveragePorts) {
    this.#ports = ports;
  }

  /** Returns the end of the stream as coverage; undefined if no proof is due, or if a proof is impossible now. */
  async prove(): Promise<Coverage | undefined> {
    const { clock, stream, partition, trimWatch } = this.#ports;
    const { idleFrom } = trimWatch;
    if (idleFrom === undefined) return undefined;
    const recent = await stream.bounds(clock.now() - RECENT_MS);
    if (recent.kind !== 'ok' || !this.#isDue(recent, idleFrom)) return undefined;
    // The end is read before the newest message, and the beginning is read after it. So when the newest message was read, the stream still
    // stored each message of the partition after the last received message and before the end.
    const before = await stream.bounds(clock.now());
    const newest = await stream.newest(partition);
    const after = await stream.bounds(clock.now());
    if (before.kind !== 'ok' || after.kind !== 'ok' || newest === undefined) return undefined;
    // A former leader of the stream may still answer, but does not know the newest messages.
    const isSame = before.leader === after.leader && before.created === after.created;
    if (!isSame || after.last < before.last) return undefined;
    if (trimWatch.idleFrom !== idleFrom || newest > idleFrom || after.first > idleFrom + 1) return undefined;
    trimWatch.settleTo(before.last);
    this.#provedAt = clock.now();
    return { sequence: before.last, storedMs: before.lastStoredMs };
  }

  /**
   * True if the stream may drop the message after `proved` before the next proof. This is possible if the sequence is in the older half of
   * the stream. It is also possible some time after the last proof: messages of one partition may need more room than all others, a purge or
   * a new limit may drop everything, and a limit of age drops messages of this age.
   */
  #isDue({ first, last, maxAgeMs = Number.POSITIVE_INFINITY }: StreamBounds, proved: number): boolean {
    if (proved >= last) return false;
    const isOld = this.#ports.clock.now() - this.#provedAt >= Math.min(REPEAT_AFTER_MS, maxAgeMs / 2);
    return isOld || proved < (first + last) / 2;
  }
}
