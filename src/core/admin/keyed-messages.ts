import { NatspocError } from '../lib/errors.js';
import type { StreamFacts } from '../ports/facts.js';
import type { GroupObserver, KeyedReads, PlacedMessage } from '../ports/observer.js';
import type { MessageCounts } from './message-counts.js';

/** Average number of the group's messages in one block. A block is a range of sequences. */
const BLOCK = 4_096;
/** Number of blocks that are kept in memory. */
const REMEMBERED = 64;
/**
 * Up to this number of the group's messages, the messages of a partition are counted one by one. Of a longer range, only about this number
 * is read.
 */
const COUNTED = 20_000;

interface Block {
  /** The block was read up to this sequence. */
  upTo: number;
  messages: Promise<PlacedMessage[]>;
}

/**
 * Counts the messages of a keyed group's partitions, for one operation. The server cannot count by key, so the messages of the group are
 * read. All partitions share the blocks that were read. In a long range, the share of a partition is estimated from a part of the range.
 */
export class KeyedMessages {
  readonly #observer: Pick<GroupObserver, 'waiting'>;
  readonly #reads: KeyedReads;
  readonly #partitions: number;
  readonly #signal: AbortSignal | undefined;
  readonly #first: number;
  readonly #last: number;
  /** Number of sequences in a block. */
  #span: Promise<number> | undefined;
  /** The blocks by number, the most recently used last. */
  readonly #blocks = new Map<number, Block>();

  /**
   * @param stream the current state of the stream.
   * @param signal ends a read with an error.
   */
  constructor(
    observer: Pick<GroupObserver, 'waiting'>,
    reads: KeyedReads,
    partitions: number,
    { firstSequence, lastSequence }: Pick<StreamFacts, 'firstSequence' | 'lastSequence'>,
    signal?: AbortSignal,
  ) {
    this.#signal = signal;
    this.#observer = observer;
    this.#reads = reads;
    this.#partitions = partitions;
    this.#first = Math.max(1, firstSequence);
    this.#last = lastSequence;
  }

  /** Counts the messages of a partition, or of all partitions if `partition` is null. */
  of(partition: number | null): MessageCounts {
    const isMine = (message: PlacedMessage): boolean => partition === null || message.partition === partition;
    const refuseUnknown = (): void => {
      if (partition !== null && !this.#reads.isFound) throw unknownKey(this.#reads.key);
    };
    return {
      between: async (after, upTo) => {
        const ofGroup = await this.#ofGroup(after, upTo);
        if (ofGroup === 0 || partition === null) return { messages: ofGroup, isEstimate: false };
        if (!this.#reads.isFound || ofGroup > COUNTED) {
          const share = this.#reads.isFound ? await this.#share(upTo, isMine) : 1 / this.#partitions;
          // Rounded down, so that the sum over all partitions does not exceed the number of messages.
          return { messages: Math.max(1, Math.floor(ofGroup * share)), isEstimate: true };
        }
        let messages = 0;
        for await (const block of this.#forward(after, upTo)) messages += block.filter(isMine).length;
        return { messages, isEstimate: false };
      },

      back: async (lowest, from, wanted) => {
        refuseUnknown();
        let messages = 0;
        for await (const block of this.#back(from)) {
          const mine = block.filter(isMine);
          const first = mine.at(messages - wanted);
          if (first) return { to: first.sequence - 1, passed: { messages: wanted, isEstimate: false } };
          messages += mine.length;
        }
        return { to: Math.max(0, Math.min(lowest, from)), passed: { messages, isEstimate: false } };
      },

      forward: async (from, last, wanted) => {
        refuseUnknown();
        let [messages, to] = [0, from];
        for await (const block of this.#forward(from, last)) {
          const mine = block.filter(isMine).slice(0, wanted - messages);
          messages += mine.length;
          to = mine.at(-1)?.sequence ?? to;
          if (messages === wanted) break;
        }
        return { to, passed: { messages, isEstimate: false } };
      },
    };
  }

  /** The number of the group's messages in a range, as the server counts them. */
  async #ofGroup(after: number, upTo: number): Promise<number> {
    if (after >= upTo) return 0;
    // Messages may be published between the two counts, so the difference is limited.
    const [more, less] = await Promise.all([after, upTo].map((at) => this.#observer.waiting(0, at)));
    return Math.min(Math.max(0, (more?.ofGroup ?? 0) - (less?.ofGroup ?? 0)), upTo - after);
  }

  /** A partition's share of the last messages up to a sequence. */
  async #share(upTo: number, isMine: (message: PlacedMessage) => boolean): Promise<number> {
    let [seen, mine] = [0, 0];
    for await (const block of this.#back(upTo)) {
      seen += block.length;
      mine += block.filter(isMine).length;
      if (seen >= COUNTED) break;
    }
    return mine / Math.max(1, seen);
  }

  async *#forward(after: number, upTo: number): AsyncGenerator<PlacedMessage[]> {
    const span = await this.#spanOf();
    const start = Math.max(after, this.#first - 1);
    for (let number = Math.floor(start / span); number * span < upTo; number++)
      yield within(await this.#block(number, span, upTo), after, upTo);
  }

  async *#back(from: number): AsyncGenerator<PlacedMessage[]> {
    const span = await this.#spanOf();
    for (let number = Math.floor((from - 1) / span); (number + 1) * span >= this.#first; number--)
      yield within(await this.#block(number, span, from), 0, from);
  }

  /** The number of sequences in a block. It is larger if the group handles only some messages of the stream. */
  #spanOf(): Promise<number> {
    const [after, upTo] = [this.#first - 1, this.#last];
    this.#span ??= this.#ofGroup(after, upTo).then((messages) =>
      Math.max(BLOCK, Math.ceil((BLOCK * (upTo - after)) / Math.max(1, messages))),
    );
    return this.#span;
  }

  /** The messages of a block. */
  #block(number: number, span: number, upTo: number): Promise<PlacedMessage[]> {
    const after = number * span;
    const end = Math.min(after + span, Math.max(upTo, this.#last));
    const known = this.#blocks.get(number);
    const block = known && known.upTo >= end ? known : { upTo: end, messages: this.#read(after, end) };
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > REMEMBERED && oldest !== undefined) this.#blocks.delete(oldest);
    return block.messages;
  }

  async #read(after: number, upTo: number): Promise<PlacedMessage[]> {
    const messages: PlacedMessage[] = [];
    const reading = this.#reads.placed(after, upTo, this.#partitions, this.#signal);
    for await (const message of reading) messages.push(message);
    if (this.#signal?.aborted) throw new NatspocError('failed', 'Interrupted while reading the stream.');
    return messages;
  }
}

const within = (messages: readonly PlacedMessage[], after: number, upTo: number): PlacedMessage[] =>
  messages.filter(({ sequence }) => sequence > after && sequence <= upTo);

/** The error if only a program can compute the keys. */
export const unknownKey = (key: string): NatspocError =>
  new NatspocError(
    'usage',
    `The group has the key ${key}: only a program with this function knows the partition of a message. ` +
      'Use sequences or times of the stream instead of messages of a partition.',
  );
