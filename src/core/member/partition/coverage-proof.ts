import type { Clock } from '../../lib/clock.js';
import type { Coverage, EventStream, StreamBounds } from '../../ports/index.js';
import type { TrimWatch } from './stream-losses.js';

/** The maximum age, in milliseconds, of the stream's state when deciding whether a proof is due. */
const RECENT_MS = 5_000;
/** A proof is repeated after this time, in milliseconds, if the stream has grown. */
const REPEAT_AFTER_MS = 10_000;

/** The dependencies of {@link CoverageProof}. */
export interface CoveragePorts {
  clock: Clock;
  stream: Pick<EventStream, 'bounds' | 'newest'>;
  /** Null if the reader reads all partitions. */
  partition: number | null;
  trimWatch: TrimWatch;
}

/**
 * Proves that the stream stores no message of a partition after the last received message. While a partition gets no messages, the stream
 * can drop other partitions' messages after its position. Without a proof, a later owner could take them for lost messages of this
 * partition. So the proof is made before the stream can drop the message after the position.
 */
export class CoverageProof {
  readonly #ports: CoveragePorts;
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
    // The end is read before the newest message, the beginning after it. In between, the stream therefore dropped no message after the last
    // received one.
    const before = await stream.bounds(clock.now());
    const newest = await stream.newest(partition);
    const after = await stream.bounds(clock.now());
    if (before.kind !== 'ok' || after.kind !== 'ok' || newest === undefined) return undefined;
    // A former leader of the stream can still answer without knowing the newest messages.
    const isSame = before.leader === after.leader && before.created === after.created;
    if (!isSame || after.last < before.last) return undefined;
    if (trimWatch.idleFrom !== idleFrom || newest > idleFrom || after.first > idleFrom + 1) return undefined;
    trimWatch.settleTo(before.last);
    this.#provedAt = clock.now();
    return { sequence: before.last, storedMs: before.lastStoredMs };
  }

  /**
   * True if the stream can drop the message after `proved` before the next proof. This is possible if the sequence is in the older half of
   * the stream. It is also possible some time after the last proof. For example, one partition fills the stream, messages are purged, or
   * they reach the age limit.
   */
  #isDue({ first, last, maxAgeMs = Number.POSITIVE_INFINITY }: StreamBounds, proved: number): boolean {
    if (proved >= last) return false;
    const isOld = this.#ports.clock.now() - this.#provedAt >= Math.min(REPEAT_AFTER_MS, maxAgeMs / 2);
    return isOld || proved < (first + last) / 2;
  }
}
