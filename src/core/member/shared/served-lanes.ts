import type { StreamMessage } from '../../protocol/message.js';
import type { Lane } from './lane.js';
import type { SharedReader } from './shared-reader.js';
import { WindowRoom, type WindowRoomPorts } from './window-room.js';

/** The lanes that a shared reader serves. Each message goes to its lane, or is passed over. */
export class ServedLanes {
  readonly #lanes = new Map<number, Lane>();
  readonly #room: WindowRoom;
  readonly #left: (lane: Lane) => void;
  /** The lane that was added last. */
  #last: Lane | undefined;

  /**
   * @param messages the size of the reader's window.
   * @param room the reader's window.
   * @param left called when a full lane was left behind, so that other lanes get messages.
   */
  constructor(messages: number, room: WindowRoomPorts, left: (lane: Lane) => void) {
    this.#room = new WindowRoom(messages, this.#lanes, room);
    this.#left = left;
  }

  get size(): number {
    return this.#lanes.size;
  }

  get all(): Lane[] {
    return [...this.#lanes.values()];
  }

  /** A lane that is served, or was served last. */
  get any(): Lane | undefined {
    return this.#lanes.values().next().value ?? this.#last;
  }

  add(lane: Lane): void {
    this.#lanes.set(lane.partition, lane);
    this.#last = lane;
  }

  /** Returns false if the lane is not served. */
  remove(lane: Lane): boolean {
    return this.#lanes.get(lane.partition) === lane && this.#lanes.delete(lane.partition);
  }

  clear(): void {
    this.#lanes.clear();
  }

  /** Leaves full lanes behind. */
  leaveFull(): void {
    for (const lane of this.#lanes.values()) if (this.#room.isFull(lane)) this.#leave(lane);
  }

  /** Makes room in the window after this number of messages was handled. */
  release(messages: number): void {
    this.#room.release(messages);
  }

  /** Makes room for messages that were passed over, because the reader requests nothing more. */
  rests(): void {
    this.#room.rests();
  }

  /** Gives a message of this partition to its lane. Passes over it if no lane needs it, or if the lane is full. */
  give(message: StreamMessage, partition: number | undefined, from: SharedReader): void {
    const lane = partition === undefined ? undefined : this.#lanes.get(partition);
    if (!lane || message.sequence < lane.next || lane.passes(message)) this.#room.pass(from.pending > 0);
    else if (this.#room.isUnfair(lane)) {
      // The lane has received all of its messages that come before this message.
      lane.next = message.sequence;
      this.#leave(lane);
      this.#room.pass(from.pending > 0);
    } else {
      this.#room.take();
      lane.deliver(message, from);
    }
  }

  #leave(lane: Lane): void {
    this.#lanes.delete(lane.partition);
    lane.leaveBehind();
    this.#left(lane);
  }
}
