import type {
  EventStream,
  OpenOutcome,
  Reader,
  ReaderOptions,
  ReaderSink,
  ReaderWindow,
} from '../ports/index.js';
import type { GroupSubjects } from '../protocol/layout.js';
import type { MessageKey } from '../protocol/message-key.js';
import { LocalMessage, type MessageParts } from './local-message.js';
import type { LocalProcess } from './local-process.js';
import type { MessageLog } from './message-log.js';

/** The subjects that a member reads, and how it finds the key of a message. */
export interface LocalReading {
  subjects: GroupSubjects;
  /** Default: the header `Natspoc-Key`. */
  keyOf?: MessageKey['of'] | undefined;
}

/** The stream as the process of one member reads it. */
export class LocalEvents implements EventStream {
  readonly #log: MessageLog;
  readonly #process: LocalProcess;
  readonly #createdMs: number;
  readonly #reading: LocalReading;
  readonly #readers = new Map<string, LocalReader>();

  /** @param createdMs when the stream was created, in milliseconds since 1970. */
  constructor(log: MessageLog, process: LocalProcess, createdMs: number, reading: LocalReading) {
    this.#reading = reading;
    this.#log = log;
    this.#process = process;
    this.#createdMs = createdMs;
  }

  open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome> {
    return this.#process.ask(() => {
      const reader = new LocalReader(this.#log, this.#process, this.#reading, options, sink);
      this.#readers.set(options.name, reader);
      return { kind: 'ok', reader };
    });
  }

  remove(name: string): ReturnType<EventStream['remove']> {
    return this.#process.ask(() => {
      this.#readers.get(name)?.close();
      this.#readers.delete(name);
      return { kind: 'ok' };
    });
  }

  inspect(name: string): ReturnType<EventStream['inspect']> {
    return this.#process.ask(() => {
      const reader = this.#readers.get(name);
      return reader ? { change: undefined, delivered: reader.delivered, waiting: reader.pending } : 'gone';
    });
  }

  bounds(): ReturnType<EventStream['bounds']> {
    return this.#process.ask(() => ({
      kind: 'ok',
      first: 1,
      last: this.#log.last,
      missing: 0,
      mostPerSubject: 0,
      created: this.#createdMs,
    }));
  }

  storedAt(sequence: number): ReturnType<EventStream['storedAt']> {
    return this.#process.ask(() => this.#log.at(sequence)?.timestampMs);
  }

  newest(partition: number | null): ReturnType<EventStream['newest']> {
    const { subjects } = this.#reading;
    const subject = partition === null ? subjects.all : subjects.of(partition)[0];
    return this.#process.ask(() => this.#log.of(subject).at(-1)?.sequence ?? 0);
  }

  sequenceAt(time: Date): ReturnType<EventStream['sequenceAt']> {
    return this.#process.ask(() => {
      const found = this.#log.all.find(({ timestampMs }) => timestampMs >= time.getTime());
      return { kind: 'ok', sequence: found?.sequence ?? this.#log.last + 1 };
    });
  }
}

/** A reader of one partition, or of all partitions. It delivers messages while its window has room. */
class LocalReader implements Reader {
  readonly rested = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
  delivered = 0;
  readonly #process: LocalProcess;
  readonly #messages: readonly MessageParts[];
  readonly #keyOf: LocalReading['keyOf'];
  readonly #sink: ReaderSink;
  readonly #unfollow: () => void;
  #next: number;
  #window: ReaderWindow;
  #held = 0;
  #isOpen = false;
  #isDue = false;

  constructor(
    log: MessageLog,
    process: LocalProcess,
    { subjects, keyOf }: LocalReading,
    { partition, startSequence, window }: ReaderOptions,
    sink: ReaderSink,
  ) {
    this.#process = process;
    this.#messages = log.of(partition === null ? subjects.all : subjects.of(partition)[0]);
    this.#keyOf = keyOf;
    const first = this.#messages.findIndex(({ sequence }) => sequence >= startSequence);
    this.#next = first < 0 ? this.#messages.length : first;
    this.#window = window;
    this.#sink = sink;
    this.#unfollow = log.follow(() => this.#deliver());
  }

  get pending(): number {
    return this.#messages.length - this.#next;
  }

  start(held: number): void {
    this.#held = held;
    this.#isOpen = true;
    this.#deliver();
  }

  release(messages: number): void {
    this.#held -= messages;
    this.#deliver();
  }

  /** The window is large enough for all messages of a test. */
  starve(): void {}

  resize(window: ReaderWindow): void {
    this.#window = window;
    this.#deliver();
  }

  close(): void {
    this.#isOpen = false;
    this.#unfollow();
  }

  #deliver(): void {
    if (this.#isDue || !this.#isOpen) return;
    this.#isDue = true;
    this.#process.later(() => {
      this.#isDue = false;
      while (this.#isOpen && this.#held < this.#window.messages) {
        const next = this.#messages[this.#next];
        if (!next) return;
        this.#next++;
        this.#held++;
        this.delivered++;
        this.#sink.message(new LocalMessage(next, this.#keyOf));
      }
    });
  }
}
