import { decodeEntry } from '../../../src/core/protocol/entries.js';
import { keys } from '../../../src/core/protocol/keys.js';
import { partitionOf } from '../../../src/core/protocol/layout.js';
import { decodeGroupLayout } from '../../../src/core/protocol/layout-records.js';
import { decodeLease } from '../../../src/core/protocol/records.js';
import type { BucketChange, Call, History, Stored } from '../recording/history.js';

/** A layout that the group had during the run. `at` is when the harness saw it. */
export interface RunLayout {
  epoch: number;
  partitions: number;
  at: number;
}

/** A layout in the bucket. The harness can miss a layout, and then sees only the next one. */
interface SeenLayout extends RunLayout {
  revision: number;
  before: number | undefined;
}

/** The layouts of the group in order, and the layout of each call. */
export class Layouts {
  /** The index of a layout is its epoch. */
  readonly all: readonly RunLayout[];
  readonly #seen: readonly SeenLayout[];
  readonly #leases: ReadonlyMap<string, number>;

  constructor({ bucket, settings: { group, partitions } }: Pick<History, 'bucket' | 'settings'>) {
    const seen = bucket
      .flatMap((change) => seenLayout(group, change))
      .sort((a, b) => a.revision - b.revision);
    const last = Math.max(0, ...seen.map(({ epoch }) => epoch));
    this.#seen = seen;
    this.#leases = leaseLayouts(group, bucket);
    this.all = Array.from({ length: last + 1 }, (_, epoch) => {
      const own = seen.filter((each) => each.epoch === epoch);
      const next = seen.find((each) => each.epoch === epoch + 1);
      return {
        epoch,
        partitions: own[0]?.partitions ?? next?.before ?? partitions,
        at: epoch === 0 ? 0 : Math.min(...(own.length > 0 ? own : next ? [next] : []).map(({ at }) => at)),
      };
    });
  }

  get most(): number {
    return Math.max(...this.all.map(({ partitions }) => partitions));
  }

  /** The epoch of the layout in the lease of a call. If the harness has missed the lease, the newest layout before it counts. */
  of({ partition, epoch }: Pick<Call, 'partition' | 'epoch'>): number {
    const said = this.#leases.get(`${partition} ${epoch}`);
    return said ?? this.#seen.findLast(({ revision }) => revision < epoch)?.epoch ?? 0;
  }

  /** The partition of a message under a layout. Before the first resize, a message belongs to its recorded partition. */
  partitionIn(epoch: number, { key, partition }: Pick<Stored, 'key' | 'partition'>): number {
    return epoch === 0 ? partition : partitionOf(key ?? '', this.all[epoch]?.partitions ?? 1);
  }
}

function seenLayout(group: string, { at, revision, key, value }: BucketChange): SeenLayout[] {
  const record = key === keys.groupLayout(group) && value !== null && decodeGroupLayout(Buffer.from(value));
  if (!record) return [];
  const { epoch = 0, partitions, before } = record;
  return [{ epoch, partitions, at, revision, before: before?.partitions }];
}

function leaseLayouts(group: string, bucket: readonly BucketChange[]): Map<string, number> {
  const layouts = new Map<string, number>();
  for (const { key, revision, value } of bucket) {
    if (value === null) continue;
    const entry = decodeEntry(group, { key, revision, value: Buffer.from(value) });
    if (entry?.kind !== 'lease') continue;
    layouts.set(`${entry.partition} ${revision}`, decodeLease(Buffer.from(value))?.layout ?? 0);
  }
  return layouts;
}

/**
 * A layout, with the calls under it and under all earlier layouts. A message that was handled under an earlier layout counts as handled.
 * Otherwise it would appear as a loss, a gap or a repetition. While calls run under this layout, no call under an earlier layout may run.
 */
export interface Section extends RunLayout {
  /**
   * The calls of each partition of this layout, in the order of their starts. A call under this layout is in its recorded partition. An
   * earlier call is in the partition to which its message belongs now.
   */
  calls: readonly (readonly Call[])[];
  /** True if the call was made under this layout. */
  isOwn(call: Call): boolean;
  partitionOf(message: Pick<Stored, 'key' | 'partition'>): number;
}

/** The layouts of a run with their calls, by epoch. */
export function sectionsOf({ calls }: History, layouts: Layouts): Section[] {
  const epochs = new Map(calls.map((call) => [call, layouts.of(call)]));
  return layouts.all.map((layout): Section => {
    const { epoch, partitions } = layout;
    const lists: Call[][] = Array.from({ length: partitions }, () => []);
    for (const call of calls) {
      const own = epochs.get(call) ?? 0;
      if (own > epoch) continue;
      lists[own === epoch ? call.partition : layouts.partitionIn(epoch, call)]?.push(call);
    }
    return {
      ...layout,
      calls: lists,
      isOwn: (call) => epochs.get(call) === epoch,
      partitionOf: (message) => layouts.partitionIn(epoch, message),
    };
  });
}
