import type { Coverage, Reader, ReaderSink } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { SharedReader } from './shared-reader.js';

/** What a lane needs from the stream that it belongs to. */
export interface LaneOwner {
  /** The lane can take messages again, and no reader serves it. */
  wants(lane: Lane): void;
  /** The lane has ended. */
  forget(lane: Lane): void;
  /** Upper bound of the number of messages from the lane's next sequence to the end of the stream. */
  behind(lane: Lane): number;
  /** How many partitions share the messages of the stream. */
  readonly partitions: number;
  /** One reader delivers at most this number of messages ahead of the handlers. */
  readonly readAhead: number;
}

/**
 * One partition's part of a shared reader: all messages of the partition from `next` on, once and in order, whichever
 * reader delivers them.
 */
export class Lane implements Reader {
  readonly partition: number;
  readonly #owner: LaneOwner;
  readonly #sink: ReaderSink;
  /** The first sequence that was not delivered to the lane. Messages before it are passed over, so a change of readers repeats nothing. */
  next: number;
  /** The reader that serves the lane; undefined if the lane was left behind, or has just begun. */
  reader: SharedReader | undefined;
  /** Number of messages delivered and not released. */
  held = 0;
  /** The readers whose room the held messages take, in the order of their release. */
  readonly #runs: { reader: SharedReader | undefined; messages: number }[] = [];
  /** After the lane was left behind, it asks for more when it holds no more than this number of messages. */
  #enough = 0;
  #isClosed = false;
  /** True for a message that the partition passes over. */
  readonly passes: (message: StreamMessage) => boolean;

  constructor(
    {
      partition,
      next,
      passes = () => false,
    }: { partition: number; next: number; passes?: Lane['passes'] | undefined },
    sink: ReaderSink,
    owner: LaneOwner,
  ) {
    this.partition = partition;
    this.next = next;
    this.passes = passes;
    this.#sink = sink;
    this.#owner = owner;
  }

  get pending(): number {
    return this.reader ? this.reader.pending : this.#owner.behind(this);
  }

  get delivered(): number {
    return this.reader?.delivered ?? 0;
  }

  get lag(): number {
    return Math.ceil(this.pending / this.#owner.partitions);
  }

  get coverage(): Coverage {
    const covered = this.reader?.coverage;
    if (covered && covered.sequence >= this.next) return covered;
    return { sequence: this.next - 1, storedMs: undefined };
  }

  get rested(): undefined {
    return undefined;
  }

  /** True while the lane can take more messages and no reader serves it. */
  get isHungry(): boolean {
    return !this.#isClosed && this.reader === undefined && this.held <= this.#enough;
  }

  /**
   * Messages from earlier readers are in no reader's window. A lane with many such messages waits, as if it had
   * been left behind.
   */
  start(held: number): void {
    this.held += held;
    if (held > 0) this.#runs.push({ reader: undefined, messages: held });
    this.#enough = held < this.#owner.readAhead / 2 ? held : Math.floor(held / 2);
    this.#owner.wants(this);
  }

  /** A message of the partition arrives from the reader that serves it. */
  deliver(message: StreamMessage, from: SharedReader): void {
    this.next = message.sequence + 1;
    this.held++;
    const run = this.#runs.at(-1);
    if (run?.reader === from) run.messages++;
    else this.#runs.push({ reader: from, messages: 1 });
    this.#sink.message(message);
  }

  /** The reader continues without this lane. The lane is read again only after half of its messages are handled. */
  leaveBehind(): void {
    this.reader = undefined;
    this.#enough = Math.floor(this.held / 2);
  }

  release(messages: number): void {
    this.held -= messages;
    for (let left = messages; left > 0; ) {
      const run = this.#runs[0];
      if (!run) break;
      const taken = Math.min(left, run.messages);
      run.messages -= taken;
      left -= taken;
      if (run.messages === 0) this.#runs.shift();
      run.reader?.release(taken);
    }
    if (this.isHungry) this.#owner.wants(this);
  }

  /** Does nothing: the reader always requests as many messages as fit. */
  starve(): void {}

  /** Does nothing: the budget belongs to all lanes together. */
  resize(): void {}

  /** The lane's reader has ended. */
  fault(...args: Parameters<ReaderSink['fault']>): void {
    if (this.#isClosed) return;
    this.#end();
    this.#sink.fault(...args);
  }

  trimmed(...args: Parameters<NonNullable<ReaderSink['trimmed']>>): void {
    this.#sink.trimmed?.(...args);
  }

  close(): void {
    if (!this.#isClosed) this.#end();
  }

  #end(): void {
    this.#isClosed = true;
    this.#owner.forget(this);
    this.reader?.remove(this);
    this.reader = undefined;
    // The partition drops the messages that the lane held, or takes them to its next lane.
    for (const { reader, messages } of this.#runs.splice(0)) reader?.release(messages);
  }
}
