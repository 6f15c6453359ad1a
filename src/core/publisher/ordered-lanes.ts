import type { Slot } from './window.js';

/**
 * Keeps at most one message of each partition in flight: the next message is sent when the previous message is settled. If
 * several messages were in flight, a leader could die and lose the first of them, and the next leader could store the others
 * before the publisher learns of the loss.
 */
export class OrderedLanes {
  /** The messages of each partition, in order. The first message may be in flight. */
  readonly #lanes: Slot[][];
  /** Partitions whose first message has changed. */
  readonly #ready = new Set<number>();

  constructor(partitions: number) {
    this.#lanes = Array.from({ length: partitions }, () => []);
  }

  /** Adds the newest message of its partition. */
  add(slot: Slot): void {
    this.#lanes[slot.partition]?.push(slot);
  }

  /** True for the first message of its partition. */
  isFirst(slot: Slot): boolean {
    return this.#lanes[slot.partition]?.[0] === slot;
  }

  /** Removes a settled message, before its slot is cleared. */
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
