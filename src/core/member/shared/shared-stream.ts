import type { Clock } from '../../lib/clock.js';
import type {
  EventStream,
  OpenOutcome,
  ReaderOptions,
  ReaderSink,
  ReaderState,
  ReaderWindow,
  RemoveOutcome,
} from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import { Lane, type LaneOwner } from './lane.js';
import { ReaderDoubts } from './reader-doubts.js';
import { SharedReader } from './shared-reader.js';

/** Lanes are gathered for this time, in milliseconds. Then one catch-up reader is opened for all of them. */
const GATHER_MS = 5;
/**
 * If a lane is this number of sequences ahead of the head reader, another reader is opened. The head reader would need about 0.1 s to read
 * that many messages.
 */
const FAR_AHEAD = 50_000;
/** A reader that was opened for expected lanes is closed if no lane begins within this time, in milliseconds. */
const PREPARED_MS = 5_000;

/** The dependencies of a {@link SharedStream}. */
export interface SharedStreamPorts {
  clock: Clock;
  stream: EventStream;
  /** The partition of a message; undefined if the message belongs to no partition. */
  partitionOf: (message: StreamMessage) => number | undefined;
  partitions: number;
  /** Limit on messages and bytes in memory, for all partitions together. */
  budget: ReaderWindow;
  /** Messages missing up to this sequence are no loss. They are from before the group began. */
  lostFrom: number;
  /** Creates a reader name that was never used before. */
  newName: () => string;
}

/**
 * Reads the stream once for all partitions of a member. One reader, the head reader, normally serves all partitions. A second reader, the
 * catch-up reader, serves partitions that were taken over at a position behind the head reader. The catch-up reader also serves partitions
 * that the head reader left behind because their lanes were full. The catch-up reader starts at the smallest sequence that one of its
 * partitions needs. Once the catch-up reader has reached the head reader, the head reader takes over its partitions. A reader passes over
 * messages that their partition has already received. A change of readers therefore causes neither gaps nor repeats.
 */
export class SharedStream implements EventStream, LaneOwner {
  readonly shared: NonNullable<EventStream['shared']> = {
    confirm: async (partition, isUrgent) => {
      const isAnswered = await this.#confirm(isUrgent);
      const doubt = this.#doubts.of(partition);
      if (doubt !== undefined) return { doubt };
      return isAnswered ? 'confirmed' : 'unknown';
    },
    prepare: (after) => {
      if (!this.#head) void this.#openHead(after, PREPARED_MS);
    },
  };
  readonly partitions: number;
  readonly readAhead: number;
  readonly #ports: SharedStreamPorts;
  #head: SharedReader | undefined;
  #catchUp: SharedReader | undefined;
  /** The head reader, while it is being opened. */
  #opening: Promise<OpenOutcome> | undefined;
  /** True while lanes are being gathered, or the catch-up reader is being opened for them. */
  #isGathering = false;
  /** Lanes that no reader serves. */
  readonly #behind = new Set<Lane>();
  readonly #lanes = new Map<number, Lane>();
  readonly #doubts = new ReaderDoubts();

  constructor(ports: SharedStreamPorts) {
    this.#ports = ports;
    this.partitions = ports.partitions;
    // Half of the budget is for the head reader, half for the catch-up reader.
    this.readAhead = Math.max(1, Math.floor(ports.budget.messages / 2));
  }

  async open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome> {
    const { partition, startSequence, handledUpTo = 0 } = options;
    if (partition === null) return this.#ports.stream.open(options, sink);
    if (!this.#head) {
      const opened = await this.#openHead(startSequence - 1);
      if (opened.kind !== 'ok') return opened;
    }
    const lane = new Lane({ partition, next: startSequence, passes: options.isHandled }, sink, this);
    this.#lanes.set(partition, lane);
    const doubt = this.#doubts.begins(partition, Math.max(startSequence - 1, handledUpTo));
    if (doubt !== undefined) queueMicrotask(() => lane.fault('foreign', doubt));
    return { kind: 'ok', reader: lane };
  }

  /** A lane has begun, or has room again. Now or later, it is served by a reader that has not passed the lane's next sequence. */
  wants(lane: Lane): void {
    const [head, catchUp] = [this.#head, this.#catchUp];
    if (lane.isHungry) {
      const isAhead = head !== undefined && lane.next > head.covered && !this.#overtakes(lane, head);
      const reader = isAhead ? head : catchUp && lane.next > catchUp.covered ? catchUp : undefined;
      if (reader) {
        this.#serve(lane, reader);
        return;
      }
    }
    this.#behind.add(lane);
    this.#gather();
  }

  forget(lane: Lane): void {
    this.#behind.delete(lane);
    if (this.#lanes.get(lane.partition) === lane) this.#lanes.delete(lane.partition);
  }

  behind(lane: Lane): number {
    const head = this.#head;
    return head ? Math.max(1, head.covered - lane.next + 1 + head.pending) : 1;
  }

  #serve(lane: Lane, reader: SharedReader): void {
    this.#behind.delete(lane);
    reader.add(lane);
    if (!reader.isStarted) this.#startSoon(reader);
  }

  /**
   * If the head reader is far behind this lane, makes it the catch-up reader and returns true. Another head reader then serves the lane.
   */
  #overtakes(lane: Lane, head: SharedReader): boolean {
    if (lane.next - head.covered < FAR_AHEAD || head.pending === 0 || this.#catchUp) return false;
    this.#catchUp = head;
    this.#head = undefined;
    return true;
  }

  /** The head reader waits for its first lane for `withinMs`. */
  #openHead(after: number, withinMs = 0): Promise<OpenOutcome> {
    const opened = (head: SharedReader): void => {
      this.#head = head;
    };
    this.#opening ??= this.#open(after, opened, withinMs).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(after: number, opened: (reader: SharedReader) => void, withinMs = 0): Promise<OpenOutcome> {
    const { budget, lostFrom, newName } = this.#ports;
    const window = {
      messages: this.readAhead,
      bytes: Math.max(1, Math.floor(budget.bytes / 2)),
    };
    const reader = new SharedReader(after, window, lostFrom, this.#ports, {
      advanced: (advanced) => this.#advanced(advanced),
      ended: (ended) => this.#ended(ended),
      leftBehind: (lane) => this.wants(lane),
      changed: (partitions, reason) => {
        this.#doubts.changed(partitions, reason);
        for (const partition of partitions.keys()) this.#lanes.get(partition)?.fault('foreign', reason);
      },
    });
    const outcome = await reader.open(newName());
    if (outcome.kind === 'ok') {
      opened(reader);
      this.#startSoon(reader, withinMs);
    }
    return outcome;
  }

  /** Starts a reader a little later, so that its lanes are added first. */
  #startSoon(reader: SharedReader, withinMs = 0): void {
    const { clock } = this.#ports;
    clock.at(clock.now() + withinMs, () => void reader.start());
  }

  /**
   * Once the catch-up reader has reached the head reader, gives its lanes to the head reader. Without a head reader, the catch-up reader
   * becomes the head reader when it reaches the end of the stream.
   */
  #advanced(reader: SharedReader): void {
    if (reader !== this.#catchUp) return;
    if (this.#head) {
      if (reader.covered >= this.#head.covered) reader.handOver(this.#head);
    } else if (reader.pending === 0 && !this.#opening) {
      this.#catchUp = undefined;
      this.#head = reader;
    }
  }

  #ended(reader: SharedReader): void {
    if (reader === this.#head) this.#head = undefined;
    if (reader === this.#catchUp) this.#catchUp = undefined;
    this.#doubts.ended(reader);
    this.#gather();
  }

  get #hungry(): Lane[] {
    return [...this.#behind].filter((lane) => lane.isHungry);
  }

  /** Opens one reader for all lanes that begin to wait at about the same time. */
  #gather(): void {
    if (this.#isGathering || this.#hungry.length === 0) return;
    if (this.#catchUp && this.#head) {
      this.#catchUp.leaveFull();
      return;
    }
    this.#isGathering = true;
    const { clock } = this.#ports;
    clock.at(clock.now() + GATHER_MS, async () => {
      await this.#startCatchUp();
      this.#isGathering = false;
      this.#gather();
    });
  }

  async #startCatchUp(): Promise<void> {
    const after = Math.min(...this.#hungry.map((lane) => lane.next)) - 1;
    if (!Number.isFinite(after)) return;
    const opened = this.#head
      ? await this.#open(after, (reader) => {
          this.#catchUp = reader;
        })
      : await this.#openHead(after);
    const hungry = this.#hungry;
    if (opened.kind === 'ok') {
      const [head, catchUp] = [this.#head, this.#catchUp];
      for (const lane of hungry) {
        if (head && lane.next > head.covered) this.#serve(lane, head);
        else if (catchUp && lane.next > catchUp.covered) this.#serve(lane, catchUp);
      }
      return;
    }
    const reason = opened.kind === 'refused' ? opened.reason : 'its reader could not be opened in time';
    for (const lane of hungry) lane.fault('broken', opened.kind === 'failed' ? opened.error.message : reason);
  }

  remove(): Promise<RemoveOutcome> {
    return Promise.resolve({ kind: 'ok' });
  }

  /** Checks the readers, but returns nothing: a change is reported only through {@link EventStream.shared}. */
  async inspect(): Promise<ReaderState | undefined> {
    await this.#confirm();
    return undefined;
  }

  /** Checks all readers. Resolves with false if one of the checks had no answer. */
  #confirm(isUrgent = false): Promise<boolean> {
    return this.#doubts.confirm([this.#head, this.#catchUp], isUrgent);
  }

  bounds(since?: number): ReturnType<EventStream['bounds']> {
    return this.#ports.stream.bounds(since);
  }

  storedAt(sequence: number): ReturnType<EventStream['storedAt']> {
    return this.#ports.stream.storedAt(sequence);
  }

  newest(partition: number | null): ReturnType<EventStream['newest']> {
    return this.#ports.stream.newest(partition);
  }

  sequenceAt(time: Date): ReturnType<EventStream['sequenceAt']> {
    return this.#ports.stream.sequenceAt(time);
  }
}
