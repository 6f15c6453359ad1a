import { SharedStream, type SharedStreamPorts } from '../../../src/core/member/shared/shared-stream.js';
import { NatsEventStream } from '../../../src/core/nats/jetstream/event-stream.js';
import type {
  EventStream,
  OpenOutcome,
  Reader,
  ReaderFault,
  ReaderOptions,
  ReaderSink,
} from '../../../src/core/ports/index.js';
import { layoutSubjects, partitionOfSubject } from '../../../src/core/protocol/layout.js';
import type { SimClient } from './client.js';

interface Opening extends Pick<ReaderOptions, 'name' | 'startSequence'> {
  partition: number;
}

/** Receives the events of one member's readers. */
export interface ReaderObserver {
  opened(opening: Opening): void;
  faulted(partition: number, fault: ReaderFault): void;
  /** `isWhole` is true if the payload is present. */
  arrives(opening: Opening, sequence: number, isWhole: boolean): void;
  /** `window` is the largest window that the reader had. */
  received(partition: number, window: number): void;
}

/** Settings of a reader that all partitions share. */
export type Sharing = Pick<SharedStreamPorts, 'clock' | 'partitions' | 'budget' | 'newName'> & {
  /** If true, a message's partition is its slot modulo the number of partitions. */
  isSlotted: boolean;
};

/** The slot of a message, which its subject contains. */
export const slotOf = ({ subject }: { subject: string }): number =>
  partitionOfSubject('events', subject) ?? -1;

/** The stream of one member: the real implementation, on the simulated client, with observers. */
export class SimStream implements EventStream {
  readonly #stream: EventStream;
  readonly shared: EventStream['shared'];
  /** If all partitions share the budget: the most messages of one partition in memory. */
  readonly #most: number | undefined;
  readonly #observer: ReaderObserver;
  /** By reader name, the largest window that the reader had during its epoch. */
  readonly #windows = new Map<string, number>();
  readonly #readers = new Map<number, Reader>();

  /** @param sharing if given, one reader reads all partitions. */
  constructor(client: SimClient, observer: ReaderObserver, sharing?: Sharing) {
    const stream = new NatsEventStream(client.handles, 'EVENTS', layoutSubjects('events'));
    this.#stream = sharing
      ? new SharedStream({
          ...sharing,
          stream,
          partitionOf: (message) =>
            sharing.isSlotted ? slotOf(message) % sharing.partitions : slotOf(message),
          lostFrom: 0,
        })
      : stream;
    const { shared } = this.#stream;
    this.shared = shared && {
      // When an owner learns that handled messages do not count, its partition may have no reader.
      confirm: async (partition, isUrgent) => {
        const reading = await shared.confirm(partition, isUrgent);
        if (typeof reading === 'object') observer.faulted(partition, 'foreign');
        return reading;
      },
      prepare: (after) => shared.prepare(after),
    };
    this.#most = sharing?.budget.messages;
    this.#observer = observer;
  }

  /** The number of waiting messages, as the partition's reader last reported it. */
  pending(partition: number): number {
    const reader = this.#readers.get(partition);
    return reader?.lag ?? reader?.pending ?? 0;
  }

  async open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome> {
    const { name, partition } = options;
    if (partition === null) return this.#stream.open(options, sink);
    const opening = { name, partition, startSequence: options.startSequence };
    const widen = (messages: number): void => {
      this.#windows.set(name, Math.max(messages, this.#windows.get(name) ?? 0));
    };
    widen(this.#most ?? options.window.messages);
    const opened = await this.#stream.open(options, {
      message: (message) => {
        this.#observer.arrives(opening, message.sequence, message.data.length > 0);
        sink.message(message);
        this.#observer.received(partition, this.#windows.get(name) ?? 0);
      },
      gone: (messages) => sink.gone?.(messages),
      rests: () => sink.rests?.(),
      trimmed: (trimmed) => sink.trimmed?.(trimmed),
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
      widen(this.#most ?? window.messages);
      resize(window);
    };
    this.#observer.opened(opening);
    return opened;
  }

  remove(name: string): ReturnType<EventStream['remove']> {
    return this.#stream.remove(name);
  }

  inspect(name: string, partition: number | null): ReturnType<EventStream['inspect']> {
    return this.#stream.inspect(name, partition);
  }

  bounds(since?: number): ReturnType<EventStream['bounds']> {
    return this.#stream.bounds(since);
  }

  storedAt(sequence: number): ReturnType<EventStream['storedAt']> {
    return this.#stream.storedAt(sequence);
  }

  newest(partition: number | null): ReturnType<EventStream['newest']> {
    return this.#stream.newest(partition);
  }

  sequenceAt(time: Date): ReturnType<EventStream['sequenceAt']> {
    return this.#stream.sequenceAt(time);
  }
}
