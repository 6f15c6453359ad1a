/** Rates are averages over this time: long enough to be steady, short enough to follow changes. */
const WINDOW_MS = 5_000;

interface Sample {
  atMs: number;
  /** The counts by partition and epoch, because a count starts at 0 in each epoch. */
  counts: ReadonlyMap<string, number>;
}

const keyOf = (partition: number, epoch: number): string => `${partition}@${epoch}`;

/** A partition's count of handled messages under one epoch. */
export interface Count {
  partition: number;
  epoch: number;
  handled: number;
}

/** Messages per second of each partition, from counts that are sampled once a second. */
export class RateMeter {
  #samples: Sample[] = [];

  /** Adds a sample. */
  sample(atMs: number, counts: readonly Count[]): void {
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs < WINDOW_MS);
    const all = new Map(counts.map(({ partition, epoch, handled }) => [keyOf(partition, epoch), handled]));
    this.#samples.push({ atMs, counts: all });
  }

  /** Recent messages per second. For an epoch that began within the window, the rate covers the time since the epoch began. */
  perSecond(atMs: number, { partition, epoch, handled }: Count): number {
    const key = keyOf(partition, epoch);
    const oldest = this.#samples.find((sample) => sample.counts.has(key)) ?? this.#samples.at(-1);
    if (!oldest || atMs <= oldest.atMs) return 0;
    return ((handled - (oldest.counts.get(key) ?? 0)) * 1_000) / (atMs - oldest.atMs);
  }
}
