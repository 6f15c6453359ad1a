import type { Side } from './connection.js';

/** One stored message; the model keeps with it what became of it. */
export interface Stored {
  readonly sequence: number;
  readonly partition: number;
  /** Its place among the partition's messages, from 0. */
  readonly index: number;
  /** Handled with success by somebody, or passed over by policy. */
  done: boolean;
  /** The epoch under which it was last handled with success. */
  handledUnder: number | undefined;
}

/** A reader on the server: a pull consumer without acknowledgements. */
export interface ServerReader {
  readonly name: string;
  readonly partition: number;
  readonly startSequence: number;
  readonly side: Side;
  /** Receives a batch, the consumer sequence of its first message, and how many more wait behind it. */
  readonly push: (batch: Stored[], first: number, pending: number) => void;
  /** Told when somebody deletes it. */
  readonly deleted: () => void;
  /** How many more it may be sent. */
  credit: number;
  next: number;
  delivered: number;
}

/** The partitioned stream and its readers. */
export class EventLog {
  readonly partitions: readonly Stored[][];
  readonly #all: Stored[] = [];
  readonly #readers = new Map<string, ServerReader>();

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => []);
  }

  /** Sequence of the newest message; 0: none. */
  get last(): number {
    return this.#all.length;
  }

  message(sequence: number): Stored | undefined {
    return this.#all[sequence - 1];
  }

  /** All messages of a partition, oldest first. */
  of(partition: number): readonly Stored[] {
    return this.partitions[partition] ?? [];
  }

  /** The first message of a partition behind a sequence. */
  firstAfter(partition: number, sequence: number): Stored | undefined {
    const messages = this.of(partition);
    let low = 0;
    let high = messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((messages[middle]?.sequence ?? 0) <= sequence) low = middle + 1;
      else high = middle;
    }
    return messages[low];
  }

  append(partition: number): void {
    const messages = this.partitions[partition];
    if (!messages) return;
    const stored: Stored = {
      sequence: this.#all.length + 1,
      partition,
      index: messages.length,
      done: false,
      handledUnder: undefined,
    };
    this.#all.push(stored);
    messages.push(stored);
    for (const reader of this.#readers.values()) if (reader.partition === partition) this.#serve(reader);
  }

  /** Creates a reader; false where the name is taken by another one. */
  create(reader: ServerReader): boolean {
    if (this.#readers.has(reader.name)) return false;
    this.#readers.set(reader.name, reader);
    return true;
  }

  /** Allows a reader more messages. */
  pull(reader: ServerReader, messages: number): void {
    reader.credit += messages;
    if (this.#readers.get(reader.name) === reader) this.#serve(reader);
  }

  delete(name: string): void {
    const reader = this.#readers.get(name);
    this.#readers.delete(name);
    reader?.deleted();
  }

  forgetReaders(): void {
    this.#readers.clear();
  }

  #serve(reader: ServerReader): void {
    const messages = this.of(reader.partition);
    const batch = messages.slice(reader.next, reader.next + reader.credit);
    if (batch.length === 0) return;
    const first = reader.delivered + 1;
    reader.credit -= batch.length;
    reader.next += batch.length;
    reader.delivered += batch.length;
    reader.push(batch, first, messages.length - reader.next);
  }
}
