import type { Coverage, Reader, ReaderSink } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { SharedReader } from './shared-reader.js';

/** The functions of the shared stream that its lanes use. */
export interface LaneOwner {
  /** Called when the lane can take messages again and no reader serves it. */
  wants(lane: Lane): void;
  /** Called when the lane has ended. */
  forget(lane: Lane): void;
  /** Upper bound on the number of messages from the lane's next sequence to the end of the stream. */
  behind(lane: Lane): number;
  /** The number of partitions that share the messages of the stream. */
  readonly partitions: number;
  /** Maximum number of messages that one reader delivers ahead of the handlers. */
  readonly readAhead: number;
}

/**
 * The messages of one partition from `next` on. Each message is delivered once and in order, even if several shared readers deliver
 * them in turn.
 */
export class Lane implements Reader {
  readonly partition: number;
  readonly #owner: LaneOwner;
  readonly #sink: ReaderSink;
  /**
   * The first sequence that has not been delivered to the lane. Messages before this sequence are passed over, so a change of readers
   * repeats no message.
   */
  next: number;
  /** The reader that serves the lane; undefined if the lane was left behind, or has just begun. */
  reader: SharedReader | undefined;
  /** Number of messages that were delivered to the lane and are not released yet. */
  held = 0;
  /**
   * The number of held messages from each reader, in the order in which the messages will be released. A held message takes up room in
   * the window of its reader.
   */
  readonly #runs: { reader: SharedReader | undefined; messages: number }[] = [];
  /** A lane that was left behind asks for messages again once it holds at most this number of messages. */
  #enough = 0;
  #isClosed = false;
  /** True for a message that must not be delivered, because the group handled it before a resize. */
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

  async cover(): Promise<void> {
    await this.reader?.cover();
  }

  get rested(): undefined {
    return undefined;
  }

  /** True while the lane can take more messages and no reader serves it. */
  get isHungry(): boolean {
    return !this.#isClosed && this.reader === undefined && this.held <= this.#enough;
  }

  /**
   * Starts the lane with `held` messages of earlier readers. They take up no room in a reader's window. If they are many, the lane is read
   * only after half of them are handled.
   */
  start(held: number): void {
    this.held += held;
    if (held > 0) this.#runs.push({ reader: undefined, messages: held });
    this.#enough = held < this.#owner.readAhead / 2 ? held : Math.floor(held / 2);
    this.#owner.wants(this);
  }

  /** Delivers a message of the partition from the reader that serves the lane. */
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

  /** Does nothing, because the reader always requests as many messages as fit into its window. */
  starve(): void {}

  /** Does nothing, because all lanes share one budget. */
  resize(): void {}

  /** Ends the lane because its reader has ended, and reports the fault. */
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
    // The partition drops the held messages, or takes them to its next lane. The readers get their room back.
    for (const { reader, messages } of this.#runs.splice(0)) reader?.release(messages);
  }
}
