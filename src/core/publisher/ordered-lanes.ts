import type { Slot } from './window.js';

/**
 * Keeps at most one message of each partition in flight: the next is sent when the previous one has ended. Without
 * it, a leader that dies with an accepted message leaves a gap that later ones of its partition overtake: they are
 * stored by the next leader before anybody can know that the first is lost.
 */
export class OrderedLanes {
  /** By partition, its messages in order; the first may be in flight. */
  readonly #lanes: Slot[][];
  /** Partitions whose first message has changed. */
  readonly #ready = new Set<number>();

  constructor(partitions: number) {
    this.#lanes = Array.from({ length: partitions }, () => []);
  }

  /** Takes the newest message of its partition. */
  add(slot: Slot): void {
    this.#lanes[slot.partition]?.push(slot);
  }

  /** Whether it is this message's turn. */
  isFirst(slot: Slot): boolean {
    return this.#lanes[slot.partition]?.[0] === slot;
  }

  /** A message has ended, while its slot still says of which partition it is. */
  remove(slot: Slot): void {
    const lane = this.#lanes[slot.partition] ?? [];
    const index = lane.indexOf(slot);
    if (index >= 0) lane.splice(index, 1);
    if (index === 0 && lane.length > 0) this.#ready.add(slot.partition);
  }

  /** The messages whose turn has come since the last call. */
  takeReady(): Slot[] {
    if (this.#ready.size === 0) return [];
    const first = [...this.#ready].flatMap((partition) => this.#lanes[partition]?.[0] ?? []);
    this.#ready.clear();
    return first;
  }
}
