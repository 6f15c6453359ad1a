import { NatsEventStream } from '../../../src/core/nats/jetstream/event-stream.js';
import type {
  EventStream,
  OpenOutcome,
  Reader,
  ReaderFault,
  ReaderOptions,
  ReaderSink,
} from '../../../src/core/ports/index.js';
import type { SimClient } from './client.js';

/** Hears what happens to one member's readers. */
export interface ReaderObserver {
  opened(options: ReaderOptions): void;
  faulted(partition: number, fault: ReaderFault): void;
  /** `isWhole`: with its payload. */
  arrives(options: ReaderOptions, sequence: number, isWhole: boolean): void;
  /** `window`: the most messages that the reader was ever allowed. */
  received(partition: number, window: number): void;
}

/** The stream as one member reaches it: the real one on the model of the client, and somebody who watches. */
export class SimStream implements EventStream {
  readonly #stream: NatsEventStream;
  readonly #observer: ReaderObserver;
  /** The most that each reader was ever allowed, by its name: it lives as long as an epoch. */
  readonly #windows = new Map<string, number>();
  /** The last reader of each partition. */
  readonly #readers = new Map<number, Reader>();

  constructor(client: SimClient, observer: ReaderObserver) {
    this.#stream = new NatsEventStream(client.handles, 'EVENTS', 'events');
    this.#observer = observer;
  }

  /** Messages at the server, as the partition's reader has said last. */
  pending(partition: number): number {
    return this.#readers.get(partition)?.pending ?? 0;
  }

  async open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome> {
    const { name, partition } = options;
    const widen = (messages: number): void => {
      this.#windows.set(name, Math.max(messages, this.#windows.get(name) ?? 0));
    };
    widen(options.window.messages);
    const opened = await this.#stream.open(options, {
      message: (message) => {
        this.#observer.arrives(options, message.sequence, message.data.length > 0);
        sink.message(message);
        this.#observer.received(partition, this.#windows.get(name) ?? 0);
      },
      gone: (messages) => sink.gone?.(messages),
      fault: (fault, reason) => {
        this.#observer.faulted(partition, fault);
        sink.fault(fault, reason);
      },
    });
    if (opened.kind !== 'ok') return opened;
    const { reader } = opened;
    const resize = reader.resize.bind(reader);
    this.#readers.set(partition, reader);
    reader.resize = (window) => {
      widen(window.messages);
      resize(window);
    };
    this.#observer.opened(options);
    return opened;
  }

  remove(name: string): ReturnType<EventStream['remove']> {
    return this.#stream.remove(name);
  }

  inspect(name: string, partition: number): ReturnType<EventStream['inspect']> {
    return this.#stream.inspect(name, partition);
  }

  bounds(): ReturnType<EventStream['bounds']> {
    return this.#stream.bounds();
  }

  storedAt(sequence: number): ReturnType<EventStream['storedAt']> {
    return this.#stream.storedAt(sequence);
  }

  sequenceAt(time: Date): ReturnType<EventStream['sequenceAt']> {
    return this.#stream.sequenceAt(time);
  }
}
