import type { Lane } from './lane.js';

/** Maximum number of passed-over messages that take up room in the window at a time. */
const LOT = 64;

/** Tracks how many messages take up room in a shared reader's window, and which lane takes up too much room. */
export class WindowRoom {
  readonly #messages: number;
  readonly #lanes: ReadonlyMap<number, Lane>;
  readonly #giveBack: (messages: number) => void;
  readonly #lot: number;
  /** Number of messages that lanes have received and not released. */
  #held = 0;
  /** Number of passed-over messages that still take up room in the window. */
  #passed = 0;
  /** A full lane is checked again after this number of further messages. */
  #patience = 0;

  /** `messages` is the size of the window. `lanes` holds the lanes that the reader serves now. */
  constructor(messages: number, lanes: ReadonlyMap<number, Lane>, giveBack: (messages: number) => void) {
    this.#messages = messages;
    this.#lanes = lanes;
    this.#giveBack = giveBack;
    this.#lot = Math.max(1, Math.min(LOT, Math.floor(messages / 4)));
  }

  /** Counts a message that a lane receives. */
  take(): void {
    this.#held++;
  }

  /** Makes room in the window after the lanes have released this number of messages. */
  release(messages: number): void {
    this.#held -= messages;
    this.#giveBack(messages);
  }

  /** Counts a message that was passed over. `hasMore` is true if more messages wait at the server. */
  pass(hasMore: boolean): void {
    if (++this.#passed < this.#lot && hasMore) return;
    const passed = this.#passed;
    this.#passed = 0;
    this.#giveBack(passed);
  }

  /** True if a lane holds at least the average of all lanes, and at least as many messages as still fit into the window. */
  isFull(lane: Lane): boolean {
    const isLarge = lane.held > 0 && lane.held * this.#lanes.size >= this.#held;
    return isLarge && lane.held >= this.#messages - this.#held;
  }

  /** True if the lane of the next message is full, and another lane holds less than half as many messages. */
  isUnfair(lane: Lane): boolean {
    if (!this.isFull(lane) || --this.#patience > 0) return false;
    for (const other of this.#lanes.values()) if (other.held < lane.held / 2) return true;
    this.#patience = Math.max(this.#lot, this.#lanes.size);
    return false;
  }
}
