import type { Clock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { EventStream, Reader, ReaderFault, ReaderWindow } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import type { PartitionEvents } from './partition-events.js';
import { Reopening } from './reopening.js';
import { lookAtFit } from './stream-fit.js';
import { type Cleared, type Trimmed, TrimWatch } from './stream-losses.js';

/** What an reader needs. */
export interface PartitionReaderPorts {
  events: Pick<PartitionEvents, 'unread'>;
  clock: Clock;
  random: () => number;
  stream: EventStream;
  /** Its partition, and the name of its reader on the server. */
  partition: number;
  name: string;
  /** What was dropped up to this sequence is no loss: it was before the group began. */
  lostFrom: number;
  /** See {@link TrimPorts.cleared}. */
  cleared: () => Promise<Cleared>;
  /** How many messages may be in hand at once. */
  concurrency: number;
  /** How many messages were delivered and are not dealt with. */
  waiting: () => number;
}

/** What an reader tells, until it is closed. */
export interface PartitionReaderEvents {
  message(message: StreamMessage): void;
  /** A reader is open, and has said how many messages wait. */
  opened(): void;
  /** The stream has dropped messages before they were received. */
  trimmed(trimmed: Trimmed): void;
  /** It cannot go on for a passing reason. */
  failed(reason: string): void;
  /** Nothing helps. */
  terminal(error: NatspocError): void;
}

/**
 * The messages of one partition behind a position, in order and without a gap, whatever happens to its readers.
 * Every fault of a reader has one cure: delete it and open another behind what has been received. Except its deletion by
 * another client, which may be a newer owner: that ends the reader.
 */
export class PartitionReader {
  readonly #ports: PartitionReaderPorts;
  readonly #events: PartitionReaderEvents;
  #window: ReaderWindow;
  #reader: Reader | undefined;
  #received: number;
  /** What was received when it looked last. */
  #lookedAt: number | undefined;
  /** When the stream was created, and when it stored what was received last. */
  readonly #created: number | undefined;
  #stored: number | undefined;
  readonly #trimWatch: TrimWatch;
  readonly #reopening: Reopening;
  #closed = false;

  /** `from`: the position behind which it starts. */
  constructor(
    from: PositionMark,
    window: ReaderWindow,
    ports: PartitionReaderPorts,
    events: PartitionReaderEvents,
  ) {
    const { sequence: received, created, stored } = from;
    this.#received = received;
    this.#created = created;
    this.#stored = stored;
    this.#window = window;
    this.#ports = ports;
    this.#events = events;
    this.#reopening = new Reopening(ports);
    this.#trimWatch = new TrimWatch(received, ports.lostFrom, {
      ...ports,
      reading: () => ({ received: this.#received, waiting: this.pending ?? 0 }),
      trimmed: (trimmed) => events.trimmed(trimmed),
    });
  }

  /** The last sequence that was received, or where it started. */
  get received(): number {
    return this.#received;
  }

  /** Messages that still wait at the server, as of the last delivery; undefined while there is no reader. */
  get pending(): number | undefined {
    return this.#reader?.pending;
  }

  /** True while there is no reader, and those that are tried fail one after the other. */
  get isFailing(): boolean {
    return this.#reader === undefined && this.#reopening.isFailing;
  }

  /** Opens the first reader. False: it was not opened, and why was told, or the reader was closed meanwhile. */
  async open(): Promise<boolean> {
    const { stream, partition, name, concurrency, waiting } = this.#ports;
    const opened = await stream.open(
      { name, partition, startSequence: this.#received + 1, window: this.#window, concurrency },
      {
        message: (message) => this.#receive(message),
        gone: (messages) => this.#missed(messages),
        fault: (fault, reason) => {
          if (fault === 'deleted') this.#deleted();
          else void this.#reopen(fault, reason);
        },
      },
    );
    if (this.#closed) {
      if (opened.kind === 'ok') opened.reader.close();
      return false;
    }
    if (opened.kind === 'ok') {
      this.#reader = opened.reader;
      this.#reopening.opened();
      this.#trimWatch.opened(opened.reader.pending);
      // Other partitions may have come or gone meanwhile.
      opened.reader.resize(this.#window);
      // What an earlier reader delivered and still waits takes its place in the window.
      opened.reader.start(waiting());
      this.#events.opened();
      return true;
    }
    if (opened.kind === 'refused') {
      await this.#reopening.wait('refused', opened.reason);
      return this.#closed ? false : this.open();
    }
    if (opened.kind === 'failed') this.#events.terminal(opened.error);
    else this.#events.failed('its reader could not be opened in time');
    return false;
  }

  /** Looks for messages that the stream has dropped, now and then. */
  async watchTrimming(): Promise<void> {
    if (!this.#closed) await this.#trimWatch.start();
  }

  /**
   * Looks whether the stream still is the one that was received, and its reader as it was made: one for which nothing comes
   * is not told that they are not. What is to be done where the stream is another, the next takeover sees.
   */
  async look(): Promise<void> {
    void this.#lookAtReader();
    const fit = await lookAtFit(this.#mark, this.#ports.stream);
    if (this.#closed) return;
    if (fit.kind === 'misfit') this.#events.failed(fit.message);
    else if (differ(this.#created, fit.created)) this.#events.failed('the stream was made anew');
  }

  async #lookAtReader(): Promise<void> {
    const reader = this.#reader;
    const isQuiet = this.#received === this.#lookedAt;
    this.#lookedAt = this.#received;
    // The next delivery shows whether the stream is the same.
    if (!reader || !isQuiet) return;
    const change = await this.#ports.stream.changed(this.#ports.name, this.#ports.partition);
    if (change === undefined || this.#closed || this.#reader !== reader) return;
    reader.close();
    void this.#reopen('foreign', change);
  }

  get #mark(): PositionMark {
    return { sequence: this.#received, created: this.#created, stored: this.#stored };
  }

  /** Changes how much may wait in memory. */
  resize(window: ReaderWindow): void {
    this.#window = window;
    this.#reader?.resize(window);
  }

  /** Gives room back to the reader, if there is one. */
  release(messages: number): void {
    this.#reader?.release(messages);
  }

  /** Handlers are idle, because all received messages wait for running ones. */
  starve(): void {
    this.#reader?.starve();
  }

  /** Takes no more, and tells no more. */
  close(): void {
    this.#closed = true;
    this.#trimWatch.stop();
    this.#reopening.stop();
    this.#reader?.close();
  }

  /** The stream has dropped them, or another client has changed the reader, for example paused it. A new reader shows which. */
  #missed(messages: number): void {
    this.#trimWatch.missed(messages);
    this.#reader?.close();
    void this.#reopen('broken', `its reader delivered nothing, although ${messages} messages waited`);
  }

  /** A newer owner does that, before we know of it. Whose the partition is, the next takeover sees. */
  #deleted(): void {
    this.#reader = undefined;
    if (!this.#closed) this.#events.failed('its reader was deleted by somebody else');
  }

  async #reopen(fault: ReaderFault, reason: string): Promise<void> {
    this.#reader = undefined;
    if (this.#closed) return;
    await this.#reopening.wait(fault, reason);
    if (this.#closed) return;
    const { stream, name } = this.#ports;
    const [removed, fit] = await Promise.all([stream.remove(name), lookAtFit(this.#mark, stream)]);
    if (this.#closed) return;
    if (removed.kind === 'failed') this.#events.terminal(removed.error);
    else if (removed.kind === 'unknown') this.#events.failed('its reader could not be deleted in time');
    else if (fit.kind === 'misfit') this.#events.failed(fit.message);
    else await this.open();
  }

  #receive(message: StreamMessage): void {
    if (this.#closed) return;
    this.#trimWatch.came(
      message.sequence,
      this.#received,
      this.#reader?.pending ?? 0,
      this.#reader?.rested ?? true,
    );
    this.#received = message.sequence;
    this.#stored = Math.floor(message.timestampMs);
    this.#reopening.worked();
    this.#events.message(message);
  }
}

const differ = (one: number | undefined, other: number | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other;
