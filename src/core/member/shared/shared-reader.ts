import type { Clock } from '../../lib/clock.js';
import { messageOf } from '../../lib/errors.js';
import type {
  Coverage,
  EventStream,
  OpenOutcome,
  Reader,
  ReaderFault,
  ReaderWindow,
} from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import { CoverageProof } from '../partition/coverage-proof.js';
import { LatestMark } from '../partition/latest-mark.js';
import { TrimWatch, UNKNOWN_REST } from '../partition/stream-losses.js';
import { ChangeLooks } from './change-looks.js';
import type { Lane } from './lane.js';
import { ServedLanes } from './served-lanes.js';

/** The dependencies of a shared reader. */
export interface SharedReaderPorts {
  clock: Clock;
  stream: EventStream;
  partitionOf: (message: StreamMessage) => number | undefined;
}

/** The events that a reader reports to the shared stream. */
export interface SharedReaderEvents {
  /** A message has been delivered to its lane or passed over. */
  advanced(reader: SharedReader): void;
  /** The reader has ended: it has no lanes any more, had a fault, or was changed by another client. */
  ended(reader: SharedReader): void;
  /**
   * Another client had changed the reader. `partitions` holds, for each affected partition, the sequence after which deliveries are in
   * doubt.
   */
  changed(partitions: ReadonlyMap<number, number>, reason: string): void;
  /** The reader has left a full lane behind, so that other lanes get messages. */
  leftBehind(lane: Lane): void;
}

/**
 * Serves all partitions with one reader. Gives each message to the lane of its partition, and passes over messages of other members. The
 * reader waits while the lanes hold as many messages as its window allows. It leaves a full lane behind while another lane holds fewer than
 * half as many messages. A slow partition then does not hold up the others.
 */
export class SharedReader {
  readonly #ports: SharedReaderPorts;
  readonly #events: SharedReaderEvents;
  readonly #window: ReaderWindow;
  readonly #lanes: ServedLanes;
  readonly #looks: ChangeLooks;
  readonly #trimWatch: TrimWatch;
  #reader: Reader | undefined;
  #name = '';
  /** The last delivered message, or the proved coverage after it. */
  readonly #latest: LatestMark;
  readonly #proof: CoverageProof;
  #proving: Promise<void> | undefined;
  #isStarted = false;
  #isClosed = false;

  /** `after` is the sequence after which the reader starts. Messages missing up to `lostFrom` are no loss. */
  constructor(
    after: number,
    window: ReaderWindow,
    lostFrom: number,
    ports: SharedReaderPorts,
    events: SharedReaderEvents,
  ) {
    this.#latest = new LatestMark(after, { sequence: after });
    this.#window = window;
    const room = {
      giveBack: (messages: number) => !this.#isClosed && this.#reader?.release(messages),
      isResting: () => this.#reader?.isResting ?? false,
      starve: () => !this.#isClosed && this.#reader?.starve(),
      capacity: () => this.#reader?.capacity ?? window.messages,
    };
    this.#lanes = new ServedLanes(window.messages, room, (lane) => events.leftBehind(lane));
    this.#ports = ports;
    this.#events = events;
    this.#trimWatch = new TrimWatch(after, lostFrom, {
      ...ports,
      reading: () => ({
        received: this.covered,
        waiting: this.pending,
        isResting: this.#reader?.isResting ?? false,
      }),
      recount: () => this.#recount(),
      replace: () => this.#end('broken', 'messages that waited for its reader are gone'),
      cleared: async () => undefined,
      // The partitions of lost messages are unknown, so their number is reported for one partition.
      trimmed: (trimmed) => this.#lanes.any?.trimmed(trimmed),
    });
    this.#proof = new CoverageProof({ ...ports, partition: null, trimWatch: this.#trimWatch });
    this.#looks = new ChangeLooks(
      {
        ...ports,
        reading: () => this.#reader && { name: this.#name, delivered: this.delivered },
        serving: () => new Map(this.#lanes.all.map((lane) => [lane.partition, this.#behind(lane)])),
        // Messages that the stream dropped before they were received must be reported before a commit.
        settle: () => this.#trimWatch.settle(),
      },
      {
        changed: (partitions, reason) => {
          this.close();
          events.ended(this);
          events.changed(partitions, reason);
        },
        pulled: () => this.#end('broken', 'another client has pulled messages from its reader'),
      },
    );
  }

  /** Number of messages that wait at the server, as of the last delivery. */
  get pending(): number {
    return this.#reader?.pending ?? 0;
  }

  /** True once the reader delivers messages. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Number of messages that the reader has received. */
  get delivered(): number {
    return this.#reader?.delivered ?? 0;
  }

  /** The last delivered sequence; before the first delivery, the sequence after which the reader starts. */
  get covered(): number {
    return this.#latest.sequence;
  }

  get coverage(): Coverage {
    const { sequence, stored: storedMs } = this.#latest.mark;
    return { sequence, storedMs };
  }

  /** Tries to extend {@link coverage} while no message arrives. All lanes share one attempt. */
  cover(): Promise<void> {
    this.#proving ??= this.#prove().finally(() => {
      this.#proving = undefined;
    });
    return this.#proving;
  }

  async #recount(): Promise<boolean> {
    const state = await this.#ports.stream.inspect(this.#name, null);
    if (typeof state !== 'object' || this.#isClosed || !this.#reader?.recounted) return false;
    this.#reader.recounted(state);
    return true;
  }

  async #prove(): Promise<void> {
    const proved = (await this.#proof.prove()) ?? this.#trimWatch.passed;
    if (this.#isClosed || this.pending > 0 || proved.sequence <= this.covered) return;
    this.#latest.covered(proved);
  }

  /** Opens the reader under a name that was never used before. */
  async open(name: string): Promise<OpenOutcome> {
    this.#name = name;
    const options = {
      name,
      partition: null,
      startSequence: this.covered + 1,
      window: this.#window,
      // Reads as far ahead as the window allows, because the server also sends messages of other members.
      concurrency: this.#window.messages,
    };
    const opened = await this.#ports.stream.open(options, {
      message: (message) => this.#receive(message),
      gone: (messages) =>
        this.#end('broken', `its reader delivered nothing, although ${messages} messages waited`),
      rests: () => this.#lanes.rests(),
      // Only this member knows the reader's name, so its deletion does not show a newer owner. Another reader is opened instead.
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

  /** Begins deliveries to all lanes, including those that are added later. A reader without lanes ends without any delivery. */
  async start(): Promise<void> {
    if (this.#isClosed || this.#isStarted) return;
    if (this.#lanes.size === 0) return this.#endIfDeserted();
    this.#isStarted = true;
    // The trim watch starts before the deliveries. Losses before the first message must be reported to its lane, which can leave right
    // after that message.
    await this.#trimWatch.start();
    this.#reader?.start(0);
  }

  /** Serves a lane from now on. The lane's next sequence must be above {@link covered}. */
  add(lane: Lane): void {
    lane.reader = this;
    this.#lanes.add(lane);
    this.#looks.serves(lane.partition, this.#behind(lane));
  }

  /** Stops serving a lane. */
  remove(lane: Lane): void {
    if (this.#lanes.remove(lane)) this.#endIfDeserted();
  }

  /** Gives all lanes to the reader that this reader has caught up with, and ends this reader. */
  handOver(to: SharedReader): void {
    for (const lane of this.#lanes.all) to.add(lane);
    this.#lanes.clear();
    this.#endIfDeserted();
  }

  /** Leaves full lanes behind, because other lanes wait for a reader. */
  leaveFull(): void {
    this.#lanes.leaveFull();
    this.#endIfDeserted();
  }

  /** Makes room in the window after this number of messages was handled. */
  release(messages: number): void {
    this.#lanes.release(messages);
  }

  /** For an ended reader: true until the server has answered a check that began after the reader's last delivery. */
  get isUnconfirmed(): boolean {
    return this.#looks.isDue;
  }

  /**
   * Checks whether another client has changed the reader; see {@link ChangeLooks.look}. If it was changed, ends the reader and reports the
   * affected partitions.
   */
  confirm(isUrgent = false): Promise<boolean> {
    return this.#looks.look(isUrgent);
  }

  /** The sequence after which this reader delivers to a lane. */
  #behind(lane: Lane): number {
    return Math.max(this.covered, lane.next - 1);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#trimWatch.stop();
    void this.#remove();
  }

  /** Checks the reader first. After its removal, a change by another client could not be detected. */
  async #remove(): Promise<void> {
    await this.#looks.end();
    this.#reader?.close();
  }

  #end(fault: ReaderFault, reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.ended(this);
    for (const lane of this.#lanes.all) lane.fault(fault, reason);
  }

  #endIfDeserted(): void {
    if (this.#lanes.size > 0 || this.#isClosed) return;
    this.close();
    this.#events.ended(this);
  }

  /**
   * The partition of a message. If the program's key function fails, ends all lanes that have not passed the message: it may be theirs,
   * and no position may move past it.
   */
  #partitionOf(message: StreamMessage): number | undefined {
    try {
      return this.#ports.partitionOf(message);
    } catch (error) {
      for (const lane of this.#lanes.all)
        if (lane.next <= message.sequence) lane.fault('unplaced', messageOf(error));
      return undefined;
    }
  }

  #receive(message: StreamMessage): void {
    if (this.#isClosed) return;
    const partition = this.#partitionOf(message);
    // Without lanes the reader has ended.
    if (this.#isClosed) return;
    this.#trimWatch.came(
      message.sequence,
      this.covered,
      this.pending,
      this.#reader ? this.#reader.rested : UNKNOWN_REST,
    );
    this.#latest.passed(message);
    this.#lanes.give(message, partition, this);
    this.#events.advanced(this);
  }
}
