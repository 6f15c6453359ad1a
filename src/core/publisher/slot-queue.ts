import type { Slot } from './window.js';

/** The messages that were accepted while the window was full, oldest first. */
export class SlotQueue {
  /** Index of the first entry that may still be queued. Removed entries stay in the array until `#head` passes them. */
  #slots: Slot[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(slot: Slot): void {
    slot.state = 'queued';
    this.#slots.push(slot);
    this.#size++;
  }

  /** The oldest message. */
  first(): Slot | undefined {
    while (this.#head < this.#slots.length && this.#slots[this.#head]?.state !== 'queued') this.#head++;
    // Removing each entry alone would move the whole queue each time.
    if (this.#head * 2 >= this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    return this.#slots[this.#head];
  }

  /** Removes a message of this queue. */
  remove(slot: Slot): void {
    slot.state = 'free';
    this.#size--;
  }
}
