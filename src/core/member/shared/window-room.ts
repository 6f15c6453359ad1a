import type { Lane } from './lane.js';

/** Maximum number of passed-over messages that take up room in the window at a time. */
const LOT = 64;
/** This share of the window is kept free of messages that wait in full lanes, so that the other lanes still get messages. */
const RESERVE = 1 / 8;
/** A resting reader requests more messages as soon as this share of its window is free. */
const LEAST = 1 / 16;

/** The dependencies of {@link WindowRoom}. */
export interface WindowRoomPorts {
  /** Makes room in the window for this number of messages. */
  giveBack: (messages: number) => unknown;
  /** True if the reader has no pending request. Then no message arrives before room is given back. */
  isResting: () => boolean;
  /** Lets the reader request more messages even if less than half of its window is free. */
  starve: () => unknown;
  /** How many messages fit into the window now. */
  capacity: () => number;
}

/** Tracks how many messages take up room in a shared reader's window, and which lane takes up too much room. */
export class WindowRoom {
  readonly #lanes: ReadonlyMap<number, Lane>;
  readonly #ports: WindowRoomPorts;
  readonly #lot: number;
  /** Number of messages that lanes have received and not released. */
  #held = 0;
  /** Number of passed-over messages that still take up room in the window. */
  #passed = 0;
  /** A full lane is checked again after this number of further messages. */
  #patience = 0;

  /** `messages` is the size of the window. `lanes` holds the lanes that the reader serves now. */
  constructor(messages: number, lanes: ReadonlyMap<number, Lane>, ports: WindowRoomPorts) {
    this.#lanes = lanes;
    this.#ports = ports;
    this.#lot = Math.max(1, Math.min(LOT, Math.floor(messages / 4)));
  }

  /** Counts a message that a lane receives. */
  take(): void {
    this.#held++;
    if (this.#ports.isResting()) this.#giveBack(0);
  }

  /** Makes room in the window after the lanes have released this number of messages. */
  release(messages: number): void {
    this.#held -= messages;
    this.#giveBack(messages);
  }

  /** The reader's last request has ended. It may have asked for more messages than fitted into the window. */
  rests(): void {
    this.#giveBack(0);
  }

  /** Counts a message that was passed over. `hasMore` is true if more messages wait at the server. */
  pass(hasMore: boolean): void {
    this.#passed++;
    // Large messages can fill the window before a lot is complete.
    if (this.#passed >= this.#lot || !hasMore || this.#ports.isResting()) this.#giveBack(0);
  }

  /** Gives back the room of released messages, and of all messages that were passed over. */
  #giveBack(released: number): void {
    const messages = released + this.#passed;
    this.#passed = 0;
    if (messages > 0) this.#ports.giveBack(messages);
    const { capacity, isResting, starve } = this.#ports;
    // Lanes whose handlers are stuck can hold half of the window for ever.
    if (isResting() && this.#held <= capacity() * (1 - LEAST)) starve();
  }

  /**
   * True if a lane holds at least the average of all lanes, and at least as many messages as still fit into the window. A reserve does not
   * count as room.
   */
  isFull(lane: Lane): boolean {
    const isLarge = lane.held > 0 && lane.held * this.#lanes.size >= this.#held;
    return isLarge && lane.held >= Math.floor(this.#ports.capacity() * (1 - RESERVE)) - this.#held;
  }

  /** True if the lane of the next message is full, and another lane holds less than half as many messages. */
  isUnfair(lane: Lane): boolean {
    if (!this.isFull(lane) || --this.#patience > 0) return false;
    for (const other of this.#lanes.values()) if (other.held < lane.held / 2) return true;
    this.#patience = Math.max(this.#lot, this.#lanes.size);
    return false;
  }
}
