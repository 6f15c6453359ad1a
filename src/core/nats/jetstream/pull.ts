import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  type Msg,
  NatsError,
  type Subscription,
} from 'nats';
import { systemClock } from '../../lib/clock.js';
import { NatspocError } from '../../lib/errors.js';
import type { ReaderState, ReaderWindow, Rest } from '../../ports/index.js';
import type { NatsHandles } from '../client/handles.js';
import { listen } from '../client/listen.js';
import { toNatspocError } from '../client/outcome.js';
import { watchConnection } from '../client/watch-connection.js';
import { DeliveryReader } from './delivery.js';
import { Expectation, type Unexpected } from './expectation.js';
import { sizeOf } from './message-size.js';
import { PullBudget } from './pull-budget.js';
import { nanosOf, PullRequests } from './pull-requests.js';
import { ReaderRests } from './reader-rests.js';
import { RequestLimits } from './request-limits.js';
import { SilenceWatch } from './silence-watch.js';

/** The server deletes the reader of a vanished process after this time. */
const INACTIVE_THRESHOLD_MS = 30_000;

/** The reason for a fault if a request was pending and the server sent nothing. */
export const SILENCE = 'the server is silent';

/** The options of a reader that pulls messages. */
export interface PullOptions {
  stream: string;
  name: string;
  filter: string;
  start: Pick<ConsumerConfig, 'deliver_policy'> &
    Partial<Pick<ConsumerConfig, 'opt_start_seq' | 'opt_start_time'>>;
  window: ReaderWindow;
  /** See {@link Wanted}. */
  headersOnly?: boolean | undefined;
  /** See {@link Wanted}. */
  emptyAt?: number | undefined;
  /** Maximum number of messages that are handled at the same time. Default 1. */
  concurrency?: number | undefined;
  /** Interval of the server's heartbeats, in milliseconds. A silence of more than two and a half intervals is a fault. */
  heartbeatMs: number;
}

/** Receives deliveries. `fault` is the last call. `delivery` is reused, so it is valid only during the call. */
export interface PullSink {
  message(message: Msg, delivery: DeliveryReader): void;
  /** All messages that waited on the server were removed; `messages` is their number. */
  gone?(messages: number): void;
  /** See {@link ReaderSink.rests}. */
  rests?(): void;
  /**
   * `error` is set if another reader would fail too, for example because permissions are missing. `unexpected` describes the
   * delivery that caused the fault.
   */
  fault(reason: string, error?: NatspocError, unexpected?: Unexpected): void;
}

/**
 * Reads from a pull consumer without acknowledgments, within a window. The first gap or unexpected delivery ends the
 * reader for good, with a fault.
 */
export class PullReader {
  readonly #handles: NatsHandles;
  readonly #options: PullOptions;
  readonly #sink: PullSink;
  readonly #delivery = new DeliveryReader();
  readonly #demand: PullBudget;
  readonly #requests: PullRequests;
  #subscription: Subscription | undefined;
  readonly #expectation: Expectation;
  readonly #rests: ReaderRests;
  #pending: number;
  /** Number of deliveries when the server last counted the waiting messages. Counts in earlier deliveries are older. */
  #countedUpTo = 0;
  #watchdog: SilenceWatch | undefined;
  #unwatch: (() => void) | undefined;
  #open = false;

  private constructor(handles: NatsHandles, options: PullOptions, sink: PullSink, info: ConsumerInfo) {
    this.#handles = handles;
    this.#options = options;
    this.#sink = sink;
    const limits = new RequestLimits(info.config);
    this.#demand = new PullBudget(options.window, options.concurrency, limits);
    this.#requests = new PullRequests(handles, options, this.#demand, limits, (reason) => this.fail(reason));
    this.#pending = info.num_pending;
    this.#rests = new ReaderRests(handles, this.#demand, this.#requests);
    const { filter, emptyAt, headersOnly } = options;
    const after = (options.start.opt_start_seq ?? 1) - 1;
    this.#expectation = new Expectation({ filter, after, emptyAt, headersOnly });
  }

  /**
   * Creates the consumer. Nothing is requested before {@link start}.
   *
   * @returns the reader, and the number of waiting messages.
   * @throws the client's error if the consumer cannot be created.
   */
  static async open(
    handles: NatsHandles,
    options: PullOptions,
    sink: PullSink,
  ): Promise<{ reader: PullReader; pending: number }> {
    const info = await handles.manager.consumers.add(options.stream, {
      name: options.name,
      filter_subject: options.filter,
      ack_policy: AckPolicy.None,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanosOf(INACTIVE_THRESHOLD_MS),
      ...(options.headersOnly && { headers_only: true }),
      ...options.start,
    });
    const reader = new PullReader(handles, options, sink, info);
    reader.#listen();
    return { reader, pending: info.num_pending };
  }

  /** Number of messages that wait on the server, as of the last delivery. */
  get pending(): number {
    return this.#pending;
  }

  /** See {@link Reader.isResting}. */
  get isResting(): boolean {
    return !this.#demand.isWaiting;
  }

  /** See {@link Reader.capacity}. */
  get capacity(): number {
    return this.#demand.capacity;
  }

  /** See {@link Reader.recounted}. Deliveries that the server sent before it counted may still be unread. */
  recounted({ delivered, waiting }: ReaderState): void {
    const unread = delivered - this.#expectation.taken;
    if (unread < 0) return;
    this.#pending = waiting + unread;
    this.#countedUpTo = delivered;
  }

  /** See {@link Reader.delivered}. */
  get delivered(): number {
    return this.#expectation.taken;
  }

  /** See {@link Reader.rested}. */
  get rested(): Rest | undefined {
    return this.#rests.last;
  }

  /** Starts to pull. `held`: number of messages of the previous reader that still count against the window. */
  start(held = 0): void {
    this.#demand.begin(held);
    this.#requests.fill();
  }

  release(messages: number): void {
    this.#demand.release(messages);
    this.#requests.fill();
  }

  /** See {@link Reader.starve}. */
  starve(): void {
    if (this.#demand.starve()) this.#requests.fill();
  }

  resize(window: ReaderWindow): void {
    this.#demand.resize(window);
    this.#requests.fill();
  }

  /** Stops, and deletes the consumer without waiting for the answer. */
  close(): void {
    if (!this.#open) return;
    this.#shut();
    if (this.#handles.connection.isClosed()) return;
    this.#handles.manager.consumers.delete(this.#options.stream, this.#options.name).catch(() => {
      // Best effort: the server deletes an inactive consumer anyway.
    });
  }

  fail(reason: string, error?: NatspocError): void {
    if (!this.#open) return;
    this.#shut();
    this.#sink.fault(reason, error);
  }

  /** Reports a forbidden request as a fault. The server does not answer such a request, so it would seem to be silent. */
  #denied(operation: string, subject: string): void {
    if (operation !== 'publish' || subject !== this.#requests.subject) return;
    const message = `Could not read ${this.#options.stream}: not permitted to publish ${subject}.`;
    this.fail('not permitted', new NatspocError('not-permitted', message));
  }

  #listen(): void {
    this.#open = true;
    this.#subscription = listen(this.#handles.connection, `${this.#requests.inbox}.*`, {
      message: (message) => this.#receive(message),
      failed: (error) => {
        const refused = error instanceof NatsError && error.permissionContext !== undefined;
        this.fail(error.message, refused ? toNatspocError(error, `read ${this.#options.stream}`) : undefined);
      },
    });
    this.#unwatch = watchConnection(this.#handles.connection, {
      refused: (operation, subject) => this.#denied(operation, subject),
      // The pending requests are lost. The consumer may be lost too, because it is in the server's memory.
      reconnected: () => this.fail('the connection was lost'),
    });
    const { clock = systemClock } = this.#handles;
    this.#watchdog = new SilenceWatch(clock, this.#options.heartbeatMs, {
      // Without a pending request, for example while the window is full, the server sends nothing.
      isWaiting: () => this.#demand.isWaiting,
      silent: () => this.fail(SILENCE),
    });
  }

  #shut(): void {
    this.#open = false;
    this.#requests.stop();
    this.#watchdog?.stop();
    this.#unwatch?.();
    this.#subscription?.unsubscribe();
  }

  #receive(message: Msg): void {
    if (!this.#open) return;
    this.#watchdog?.heard();
    const delivery = this.#delivery;
    if (!delivery.read(message.reply ?? '')) {
      if (!this.#requests.isAnswer(message))
        this.fail(`a message that is not a delivery: ${message.subject}`);
      else if (message.headers?.code === 100) this.#idle();
      else this.#receiveStatus(message);
      return;
    }
    const unexpected = this.#expectation.take(message, delivery);
    if (unexpected) {
      this.#shut();
      this.#sink.fault(unexpected.reason, undefined, unexpected);
      return;
    }
    const waited = this.#pending;
    const isOlder = this.#expectation.taken <= this.#countedUpTo;
    this.#pending = isOlder ? Math.max(0, waited - 1) : delivery.pending;
    const hasWaited = this.#demand.isTurn && this.#pending > waited;
    this.#demand.weigh(sizeOf(message));
    this.#demand.deliver();
    this.#rests.delivered(waited, hasWaited);
    this.#sink.message(message, delivery);
    if (this.#demand.adapt()) this.#requests.fill();
  }

  #receiveStatus(message: Msg): void {
    const isMoreWanted = this.#requests.receiveStatus(message);
    this.#rests.requestEnded();
    if (isMoreWanted) this.#requests.fill();
    if (this.#open && !this.#demand.isWaiting) this.#sink.rests?.();
  }

  /**
   * A heartbeat shows that the server has no more messages (`processWaiting` in server/consumer.go). So the messages
   * that it had counted were purged or have expired. No later delivery would show this loss.
   */
  #idle(): void {
    const gone = this.#pending;
    if (gone === 0) return;
    this.#pending = 0;
    this.#sink.gone?.(gone);
  }
}
