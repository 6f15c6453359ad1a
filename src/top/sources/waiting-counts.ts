import type { WaitingFacts } from '../../core/ports/facts.js';
import type { GroupObserver } from '../../core/ports/observer.js';
import type { Model } from '../model/model.js';
import { partitionsOf } from '../model/select.js';
import { mostLag } from '../model/worst.js';

/** One round counts the messages of at most this many partitions without a reader. */
const COUNTED_A_ROUND = 16;
/** One round reads the oldest message of at most this many lagging partitions. */
const AGED_A_ROUND = 4;

/** Counts the waiting messages that no reader reports, and reads their ages. */
export class WaitingCounts {
  /** The positions of the lagging partitions in the last round. */
  #positions: ReadonlyMap<number, number | null> = new Map();

  /** In each round, counts messages of some partitions without a reader, and of partitions that make no progress. */
  async count(observer: GroupObserver, model: Model, round: number): Promise<WaitingFacts[]> {
    const { progress } = model;
    const unread = partitionsOf(model).filter((partition) => !progress.get(partition)?.reader);
    const from = (round * COUNTED_A_ROUND) % Math.max(1, unread.length);
    const turn = [...unread.slice(from), ...unread.slice(0, from)].slice(0, COUNTED_A_ROUND);
    const counts = [...turn, ...this.#standing(model)].map((partition) =>
      observer.waiting(partition, progress.get(partition)?.position ?? 0),
    );
    return withTimes(observer, await Promise.all(counts));
  }

  /** The partitions with a reader and much lag whose position has not changed since the last round. */
  #standing(model: Model): number[] {
    const before = this.#positions;
    const lagging = mostLag(model, AGED_A_ROUND).filter(
      ({ partition }) => model.progress.get(partition)?.reader,
    );
    this.#positions = new Map(lagging.map(({ partition, position }) => [partition, position]));
    return lagging
      .filter(({ partition, position }) => before.get(partition) === position)
      .map(({ partition }) => partition);
  }
}

/** Adds the time at which the oldest unread message of a keyed group was stored. */
async function withTimes(observer: GroupObserver, waiting: WaitingFacts[]): Promise<WaitingFacts[]> {
  const asked = new Map<number, Promise<number | null>>();
  return Promise.all(
    waiting.map(async (each) => {
      const { partition, after } = each;
      if (!each.ofGroup) return each;
      const stored = asked.get(after) ?? observer.storedAt(partition, after);
      asked.set(after, stored);
      return { ...each, storedAtMs: await stored };
    }),
  );
}
