import type { Coverage, Reader, ReaderFault, ReaderWindow } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import { CoverageProof } from './coverage-proof.js';
import { LatestMark } from './latest-mark.js';
import type { PartitionReaderEvents, PartitionReaderPorts } from './reader-contract.js';
import { ReaderLooks } from './reader-looks.js';
import { Reopening } from './reopening.js';
import { lookAtFit } from './stream-fit.js';
import { UNKNOWN_REST } from './stream-losses.js';

/**
 * Reads one partition after a position, in order and without gaps, even if readers fail. After a fault, the reader is deleted. Another
 * reader starts after the last received message. In two cases the fault is only reported: another client (perhaps a newer owner) deleted
 * the reader, or changed a shared reader.
 */
export class PartitionReader {
  readonly #ports: PartitionReaderPorts;
  readonly #events: PartitionReaderEvents;
  #window: ReaderWindow;
  #reader: Reader | undefined;
  /** The last received message; before it, the position after which reading started. */
  readonly #latest: LatestMark;
  readonly #looks: ReaderLooks;
  /** Absent if the reader reports its coverage. */
  readonly #proof: CoverageProof | undefined;
  #proved: Coverage | undefined;
  readonly #reopening: Reopening;
  #closed = false;

  /** `from` is the position after which reading starts. */
  constructor(
    from: PositionMark,
    window: ReaderWindow,
    ports: PartitionReaderPorts,
    events: PartitionReaderEvents,
  ) {
    this.#latest = new LatestMark(from.sequence, from);
    this.#looks = new ReaderLooks(ports);
    this.#window = window;
    this.#ports = ports;
    this.#events = events;
    this.#reopening = new Reopening(ports);
    const { trimWatch } = ports;
    if (trimWatch) this.#proof = new CoverageProof({ ...ports, trimWatch });
  }

  /** The last received sequence; before the first message, the sequence after which reading started. */
  get received(): number {
    return this.#latest.sequence;
  }

  /** Messages that wait on the server, as of the last delivery; undefined without a reader. */
  get pending(): number | undefined {
    return this.#reader?.pending;
  }

  /** Messages of this partition that still wait at the server; an estimate if the reader is shared. */
  get lag(): number {
    return this.#reader?.lag ?? this.pending ?? 0;
  }

  /** All messages of this partition up to this sequence were delivered; undefined if that is not after the last received message. */
  get coverage(): Coverage | undefined {
    const coverage = this.#reader?.coverage ?? later(this.#proved, this.#ports.trimWatch?.passed);
    return coverage && coverage.sequence > this.received ? coverage : undefined;
  }

  /** See {@link Reader.isResting}. */
  get isResting(): boolean {
    return this.#reader?.isResting ?? false;
  }

  /** Replaces the reader because messages that waited for it are gone. */
  replace(): void {
    // Without a reader, another reader is being opened already.
    if (!this.#reader) return;
    this.#reader.close();
    void this.#reopen('broken', 'messages that waited for its reader are gone');
  }

  /** Lets the server count the waiting messages. Resolves with false if there was no answer. */
  async recount(): Promise<boolean> {
    const reader = this.#reader;
    const { stream, name, partition } = this.#ports;
    if (!reader?.recounted) return false;
    const state = await stream.inspect(name, partition);
    if (typeof state !== 'object' || this.#reader !== reader || this.#closed) return false;
    reader.recounted(state);
    return true;
  }

  /** Tries to extend {@link coverage} for a partition that gets no messages. */
  async cover(): Promise<void> {
    const reader = this.#reader;
    await reader?.cover?.();
    const proved = reader && (await this.#proof?.prove());
    if (proved && this.#reader === reader) this.#proved = proved;
  }

  /** True while no reader can be opened. */
  get isFailing(): boolean {
    return this.#reader === undefined && this.#reopening.isFailing;
  }

  /** Opens a reader. Resolves with false after a reported failure, or if this object was closed. */
  async open(): Promise<boolean> {
    const { stream, partition, name, concurrency, isHandled, progress } = this.#ports;
    const startSequence = this.received + 1;
    const handledUpTo = progress.handledUpTo();
    const opened = await stream.open(
      { name, partition, startSequence, window: this.#window, concurrency, isHandled, handledUpTo },
      {
        message: (message) => this.#receive(message),
        rests: () => this.#events.rests(),
        gone: (messages) => this.#missed(messages),
        trimmed: (trimmed) => this.#events.trimmed(trimmed),
        fault: (fault, reason) => {
          if (fault === 'deleted') this.#deleted();
          else if (fault === 'foreign' && stream.shared) this.#events.mistrusted(reason);
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
      this.#ports.trimWatch?.opened(opened.reader.pending);
      // The window may have changed while the reader was being opened.
      opened.reader.resize(this.#window);
      // Unsettled messages of the previous reader still take up room.
      opened.reader.start(progress.waiting());
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

  /** Starts the checks for messages that the stream dropped. */
  async watchTrimming(): Promise<void> {
    if (!this.#closed) await this.#ports.trimWatch?.start();
  }

  /**
   * Checks that the stream is still the same, that the reader is unchanged, and that all of its deliveries have arrived. Without new
   * messages, only this check shows a change of the stream or the reader. If the stream was replaced by another stream, the next takeover
   * decides how to continue.
   */
  async look(): Promise<void> {
    void this.#lookAtReader();
    const mark = this.#mark();
    const fit = await lookAtFit(mark, this.#ports.stream);
    if (this.#closed) return;
    if (fit.kind === 'misfit') this.#events.failed(fit.message);
    else if (differ(mark.created, fit.created)) this.#events.failed('the stream was recreated');
  }

  async #lookAtReader(): Promise<void> {
    const reader = this.#reader;
    const harm = await this.#looks.look(reader, this.received);
    if (!reader || harm === undefined || this.#closed || this.#reader !== reader) return;
    reader.close();
    void this.#reopen('foreign', harm);
  }

  #mark(): PositionMark {
    this.#latest.releaseMessage();
    return this.#latest.mark;
  }

  /** Sets the limit on messages in memory. */
  resize(window: ReaderWindow): void {
    this.#window = window;
    this.#reader?.resize(window);
  }

  /** Makes room in the reader's window after this number of messages was handled. */
  release(messages: number): void {
    this.#reader?.release(messages);
  }

  /** To be called when more handlers could run, but all received messages have to wait for running calls. */
  starve(): void {
    this.#reader?.starve();
  }

  /** Closes the reader, and ignores all its further events. */
  close(): void {
    this.#closed = true;
    this.#ports.trimWatch?.stop();
    this.#reopening.stop();
    this.#reader?.close();
  }

  /**
   * The reader delivered nothing although messages waited. Either the stream dropped them, or another client changed the reader, for
   * example paused it. The next reader's number of waiting messages shows the cause.
   */
  #missed(messages: number): void {
    this.#ports.trimWatch?.missed(messages);
    this.#reader?.close();
    void this.#reopen('broken', `its reader delivered nothing, although ${messages} messages waited`);
  }

  /** A newer owner may have deleted the reader before this member sees the new lease. The next takeover shows who owns the partition. */
  #deleted(): void {
    this.#reader = undefined;
    if (!this.#closed) this.#events.failed('its reader was deleted by another client');
  }

  async #reopen(fault: ReaderFault, reason: string): Promise<void> {
    this.#reader = undefined;
    if (this.#closed) return;
    await this.#reopening.wait(fault, reason);
    if (this.#closed) return;
    const { stream, name } = this.#ports;
    const [removed, fit] = await Promise.all([stream.remove(name), lookAtFit(this.#mark(), stream)]);
    if (this.#closed) return;
    if (removed.kind === 'failed') this.#events.terminal(removed.error);
    else if (removed.kind === 'unknown') this.#events.failed('its reader could not be deleted in time');
    else if (fit.kind === 'misfit') this.#events.failed(fit.message);
    else await this.open();
  }

  #receive(message: StreamMessage): void {
    if (this.#closed) return;
    this.#ports.trimWatch?.came(
      message.sequence,
      this.received,
      this.#reader?.pending ?? 0,
      this.#reader ? this.#reader.rested : UNKNOWN_REST,
    );
    this.#latest.passed(message);
    this.#reopening.worked();
    this.#events.message(message);
  }
}

const differ = (one: number | undefined, other: number | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other;

const later = (one: Coverage | undefined, other: Coverage | undefined): Coverage | undefined =>
  other && (!one || other.sequence > one.sequence) ? other : one;
