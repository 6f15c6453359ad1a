import type { Slot } from './window.js';

/**
 * Keeps at most one message of each partition in flight. With two in flight, a dying leader could lose the first one, and the next leader
 * could store the second one before it.
 */
export class OrderedLanes {
  /** The messages of each partition, in order. The first message may be in flight. */
  readonly #lanes: Slot[][];
  /** Partitions with a new first message. */
  readonly #ready = new Set<number>();

  constructor(partitions: number) {
    this.#lanes = Array.from({ length: partitions }, () => []);
  }

  add(slot: Slot): void {
    this.#lanes[slot.partition]?.push(slot);
  }

  isFirst(slot: Slot): boolean {
    return this.#lanes[slot.partition]?.[0] === slot;
  }

  /** Removes a settled message. Its slot must not be cleared yet. */
  remove(slot: Slot): void {
    const lane = this.#lanes[slot.partition] ?? [];
    const index = lane.indexOf(slot);
    if (index >= 0) lane.splice(index, 1);
    if (index === 0 && lane.length > 0) this.#ready.add(slot.partition);
  }

  /** The messages that became the first of their partition since the last call. */
  takeReady(): Slot[] {
    if (this.#ready.size === 0) return [];
    const first = [...this.#ready].flatMap((partition) => this.#lanes[partition]?.[0] ?? []);
    this.#ready.clear();
    return first;
  }
}
