import type { Clock } from '../../lib/clock.js';
import type {
  Coverage,
  EventStream,
  OpenOutcome,
  Reader,
  ReaderFault,
  ReaderWindow,
} from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import { TrimWatch } from '../partition/stream-losses.js';
import { ChangeLooks } from './change-looks.js';
import type { Lane } from './lane.js';

/** The room of passed-over messages is returned to the window in lots of this size, at most. */
const LOT = 64;

/** What a shared reader needs. */
export interface SharedReaderPorts {
  clock: Clock;
  stream: EventStream;
  partitionOf: (message: StreamMessage) => number | undefined;
}

/** The events of a shared reader for its stream. */
export interface SharedReaderEvents {
  /** A message has been delivered to its lane or passed over. */
  advanced(reader: SharedReader): void;
  /** It serves no lane any more, or has ended and reported this to its lanes. */
  ended(reader: SharedReader): void;
  /** Another client had changed it: what it delivered to these partitions, behind these sequences, is in doubt. */
  changed(partitions: ReadonlyMap<number, number>, reason: string): void;
  /** A lane was left behind, because it was full while others had nothing. */
  leftBehind(lane: Lane): void;
}

/**
 * One reader of all partitions: gives each message to the lane of its partition, and passes over those of other members. It
 * waits while the lanes hold as much as its window allows. A lane that holds more than the rest of the window while
 * another one has nothing is left behind, so that a slow partition holds up no other.
 */
export class SharedReader {
  readonly #ports: SharedReaderPorts;
  readonly #events: SharedReaderEvents;
  readonly #window: ReaderWindow;
  readonly #lanes = new Map<number, Lane>();
  /** The lane that it served last. */
  #lastLane: Lane | undefined;
  readonly #looks: ChangeLooks;
  readonly #trimWatch: TrimWatch;
  #reader: Reader | undefined;
  #name = '';
  #covered: number;
  #last: StreamMessage | undefined;
  #held = 0;
  /** Passed over and not given back to the window yet. */
  #passed = 0;
  readonly #lot: number;
  /** A full lane is looked at again when this many more messages have come. */
  #patience = 0;
  #isStarted = false;
  #isClosed = false;

  /**
   * `after`: it reads what comes after this sequence. `lostFrom`: messages missing up to there are not a
   * loss.
   */
  constructor(
    after: number,
    window: ReaderWindow,
    lostFrom: number,
    ports: SharedReaderPorts,
    events: SharedReaderEvents,
  ) {
    this.#covered = after;
    this.#window = window;
    this.#lot = Math.max(1, Math.min(LOT, Math.floor(window.messages / 4)));
    this.#ports = ports;
    this.#events = events;
    this.#trimWatch = new TrimWatch(after, lostFrom, {
      ...ports,
      reading: () => ({ received: this.#covered, waiting: this.pending }),
      cleared: async () => undefined,
      // The partition of the messages is unknown, so the count is reported for one of the partitions.
      trimmed: (trimmed) => (this.#lanes.values().next().value ?? this.#lastLane)?.trimmed(trimmed),
    });
    this.#looks = new ChangeLooks(
      {
        ...ports,
        reading: () => this.#reader && { name: this.#name, delivered: this.delivered },
        serving: () => new Map([...this.#lanes].map(([partition, lane]) => [partition, this.#behind(lane)])),
        // If what it passed over is a loss, that must be reported before a commit.
        settle: () => this.#trimWatch.settle(),
      },
      {
        changed: (partitions, reason) => {
          this.close();
          events.ended(this);
          events.changed(partitions, reason);
        },
        pulled: () => this.#end('broken', 'another client has pulled messages from it'),
      },
    );
  }

  /** Messages that wait at the server, as of the last delivery. */
  get pending(): number {
    return this.#reader?.pending ?? 0;
  }

  /** True once it delivers. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Messages that it has received. */
  get delivered(): number {
    return this.#reader?.delivered ?? 0;
  }

  /** The last sequence that was delivered, or after which it began. */
  get covered(): number {
    return this.#covered;
  }

  get coverage(): Coverage {
    return { sequence: this.#covered, storedMs: this.#last && Math.floor(this.#last.timestampMs) };
  }

  /** Opens it under a name, which must never have been used before. */
  async open(name: string): Promise<OpenOutcome> {
    this.#name = name;
    const options = {
      name,
      partition: null,
      startSequence: this.#covered + 1,
      window: this.#window,
      // As far ahead as the window allows: the server sends what belongs to others too.
      concurrency: this.#window.messages,
    };
    const opened = await this.#ports.stream.open(options, {
      message: (message) => this.#receive(message),
      gone: (messages) => this.#end('broken', `it delivered nothing, although ${messages} messages waited`),
      // Only this member knows its name, so the deletion has no meaning: open another one.
      fault: (fault, reason) => this.#end(fault === 'deleted' ? 'broken' : fault, reason),
    });
    if (opened.kind !== 'ok') return opened;
    if (this.#isClosed) opened.reader.close();
    else {
      this.#reader = opened.reader;
      this.#trimWatch.opened(opened.reader.pending);
    }
    return opened;
  }

  /** Begins deliveries, to the lanes that it has by then and later; once. It ends if it has none. */
  async start(): Promise<void> {
    if (this.#isClosed || this.#isStarted) return;
    if (this.#lanes.size === 0) {
      this.close();
      this.#events.ended(this);
      return;
    }
    this.#isStarted = true;
    // First, because a lane may leave it with the first message: what was dropped before that would not be
    // reported.
    await this.#trimWatch.start();
    this.#reader?.start(0);
  }

  /** Serves a lane from now on; its next sequence must come after what is covered. */
  add(lane: Lane): void {
    lane.reader = this;
    this.#lanes.set(lane.partition, lane);
    this.#looks.serves(lane.partition, this.#behind(lane));
    this.#lastLane = lane;
  }

  /** Serves a lane no longer. */
  remove(lane: Lane): void {
    if (this.#lanes.get(lane.partition) !== lane) return;
    this.#lanes.delete(lane.partition);
    this.#endIfDeserted();
  }

  /** Another reader has reached its place and takes over its lanes; this one ends. */
  handOver(to: SharedReader): void {
    for (const lane of this.#lanes.values()) to.add(lane);
    this.#lanes.clear();
    this.#endIfDeserted();
  }

  /** Leaves full lanes behind, because others wait for a reader. */
  leaveFull(): void {
    for (const lane of this.#lanes.values()) if (this.#isFull(lane)) this.#leave(lane);
    this.#endIfDeserted();
  }

  /** Messages of its lanes were handled. */
  release(messages: number): void {
    this.#held -= messages;
    this.#reader?.release(messages);
  }

  /** True until a check of an ended reader since its last delivery has been answered. */
  get isUnconfirmed(): boolean {
    return this.#looks.isDue;
  }

  /**
   * Ends it if another client has changed it, and reports which partitions that concerns, even after it has
   * ended: the server keeps it for a while. Each caller gets the answer to a request that was sent after its
   * call, so the answer confirms what was delivered before. False: there was no answer.
   *
   * @param isUrgent does not wait for a pause: a drain waits for the answer.
   */
  confirm(isUrgent = false): Promise<boolean> {
    return this.#looks.look(isUrgent);
  }

  /** What comes after this sequence will be delivered by this reader. */
  #behind(lane: Lane): number {
    return Math.max(this.#covered, lane.next - 1);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#trimWatch.stop();
    void this.#remove();
  }

  /** Not before it was looked at, because nothing shows afterwards that another client had changed it. */
  async #remove(): Promise<void> {
    await this.#looks.end();
    this.#reader?.close();
  }

  #end(fault: ReaderFault, reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.ended(this);
    for (const lane of [...this.#lanes.values()]) lane.fault(fault, reason);
  }

  #endIfDeserted(): void {
    if (this.#lanes.size > 0 || this.#isClosed) return;
    this.close();
    this.#events.ended(this);
  }

  #receive(message: StreamMessage): void {
    if (this.#isClosed) return;
    const { sequence } = message;
    this.#trimWatch.came(sequence, this.#covered, this.pending, this.#reader?.rested ?? true);
    this.#covered = sequence;
    this.#last = message;
    const partition = this.#ports.partitionOf(message);
    const lane = partition === undefined ? undefined : this.#lanes.get(partition);
    const isWanted = lane !== undefined && sequence >= lane.next && !lane.passes(message);
    if (isWanted && !this.#leavesBehind(lane, sequence)) {
      this.#held++;
      lane.deliver(message, this);
    } else this.#pass();
    this.#events.advanced(this);
  }

  #pass(): void {
    if (++this.#passed < this.#lot && this.pending > 0) return;
    const passed = this.#passed;
    this.#passed = 0;
    this.#reader?.release(passed);
  }

  /**
   * A lane is full when it holds as much as is left for all lanes, and at least its share of what all lanes
   * hold.
   */
  #isFull(lane: Lane): boolean {
    const isLarge = lane.held > 0 && lane.held * this.#lanes.size >= this.#held;
    return isLarge && lane.held >= this.#window.messages - this.#held;
  }

  /** True if a message does not go to its lane, which is left behind before it. */
  #leavesBehind(lane: Lane, sequence: number): boolean {
    if (!this.#isFull(lane) || --this.#patience > 0) return false;
    for (const other of this.#lanes.values()) {
      if (other.held >= lane.held / 2) continue;
      // No message of it came before this one.
      lane.next = sequence;
      this.#leave(lane);
      return true;
    }
    this.#patience = Math.max(this.#lot, this.#lanes.size);
    return false;
  }

  #leave(lane: Lane): void {
    this.#lanes.delete(lane.partition);
    lane.leaveBehind();
    this.#events.leftBehind(lane);
  }
}
