import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  createInbox,
  type Msg,
  NatsError,
  type Subscription,
} from 'nats';
import { type Cancel, systemClock } from '../../lib/clock.js';
import { messageOf, NatspocError } from '../../lib/errors.js';
import type { ReaderWindow } from '../../ports/index.js';
import type { NatsHandles } from '../client/handles.js';
import { listen } from '../client/listen.js';
import { toNatspocError } from '../client/outcome.js';
import { watchConnection } from '../client/watch-connection.js';
import { DeliveryReader } from './delivery.js';
import { Expectation, type Unexpected } from './expectation.js';
import { sizeOf } from './message-size.js';
import { type Order, PullBudget } from './pull-budget.js';
import { RequestLimits } from './request-limits.js';

/** The server deletes a reader of a process that vanished after this long. */
const INACTIVE_THRESHOLD_MS = 30_000;

/** The reason of a fault: nothing was heard of the server, though something was due. */
export const SILENCE = 'the server is silent';

const nanos = (ms: number): number => ms * 1_000_000;

/** Where and what to pull. */
export interface PullOptions {
  stream: string;
  /** Name of the consumer on the server. */
  name: string;
  filter: string;
  /** Where to start: deliver policy and start sequence or time. */
  start: Pick<ConsumerConfig, 'deliver_policy'> &
    Partial<Pick<ConsumerConfig, 'opt_start_seq' | 'opt_start_time'>>;
  window: ReaderWindow;
  /** See {@link Wanted}. */
  emptyAt?: number | undefined;
  /** Limit of messages that are handled at the same time. Default 1. */
  concurrency?: number | undefined;
  /** The server speaks at least this often; two silences in a row are a fault. */
  heartbeatMs: number;
}

/**
 * Receives what is pulled. After `fault` nothing more comes. `delivery` is valid during the call only: the next
 * message uses the same object.
 */
export interface PullSink {
  message(message: Msg, delivery: DeliveryReader): void;
  /** So many messages that waited at the server are not there any more, and none is. */
  gone?(messages: number): void;
  /**
   * `error`: no other reader will do better, such as where permissions are missing. `unexpected`: what was delivered
   * that should not have been.
   */
  fault(reason: string, error?: NatspocError, unexpected?: Unexpected): void;
}

/**
 * A pull consumer with no acknowledgements, kept supplied with requests within a window. Deliveries are
 * what was asked for, each the next, or the reader faults; it never repairs itself.
 */
export class PullReader {
  readonly #handles: NatsHandles;
  readonly #options: PullOptions;
  readonly #sink: PullSink;
  readonly #nextSubject: string;
  readonly #delivery = new DeliveryReader();
  readonly #demand: PullBudget;
  readonly #limits: RequestLimits;
  #subscription: Subscription | undefined;
  #inbox = '';
  readonly #expectation: Expectation;
  #pending: number;
  /** No request waited, at some time since the last delivery; and the same before that. */
  #rests = true;
  #rested = true;
  #heard = false;
  #cancelWatchdog: Cancel | undefined;
  #unwatch: (() => void) | undefined;
  #open = false;

  private constructor(handles: NatsHandles, options: PullOptions, sink: PullSink, info: ConsumerInfo) {
    this.#handles = handles;
    this.#options = options;
    this.#sink = sink;
    this.#limits = new RequestLimits(info.config);
    this.#demand = new PullBudget(options.window, options.concurrency, this.#limits);
    this.#pending = info.num_pending;
    const { filter, emptyAt } = options;
    this.#expectation = new Expectation({ filter, after: (options.start.opt_start_seq ?? 1) - 1, emptyAt });
    // The prefix carries a JetStream domain, where there is one.
    this.#nextSubject = `${handles.manager.getOptions().apiPrefix}.CONSUMER.MSG.NEXT.${options.stream}.${options.name}`;
  }

  /**
   * Creates the consumer. Nothing is asked for before {@link start}.
   *
   * @returns the reader and how many messages wait for it.
   * @throws what the client throws where the consumer cannot be created.
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
      inactive_threshold: nanos(INACTIVE_THRESHOLD_MS),
      ...options.start,
    });
    const reader = new PullReader(handles, options, sink, info);
    reader.#listen();
    return { reader, pending: info.num_pending };
  }

  /** Messages that still wait at the server for this reader, as it has said last. */
  get pending(): number {
    return this.#pending;
  }

  /** See {@link Reader.delivered}. */
  get delivered(): number {
    return this.#expectation.taken;
  }

  /** See {@link Reader.rested}. */
  get rested(): boolean {
    return this.#rested;
  }

  /** Starts to pull. `held`: messages of an earlier reader that are not released yet; they count against the window. */
  start(held = 0): void {
    this.#demand.begin(held);
    this.#fill();
  }

  /** Gives room back to the window. */
  release(messages: number): void {
    this.#demand.release(messages);
    this.#fill();
  }

  /** Handlers are idle, because all buffered messages wait for running ones: requests more if the window has room. */
  starve(): void {
    if (this.#demand.starve()) this.#fill();
  }

  /** Changes the window; requests under way are not taken back. */
  resize(window: ReaderWindow): void {
    this.#demand.resize(window);
    this.#fill();
  }

  /** Stops, and deletes the consumer on the server without waiting for the answer. */
  close(): void {
    if (!this.#open) return;
    this.#shut();
    if (this.#handles.connection.isClosed()) return;
    this.#handles.manager.consumers.delete(this.#options.stream, this.#options.name).catch(() => {
      // Best effort: the server deletes it after the inactivity threshold.
    });
  }

  /** Ends the reader from outside with a reason, as if it had noticed itself. */
  fail(reason: string, error?: NatspocError): void {
    if (!this.#open) return;
    this.#shut();
    this.#sink.fault(reason, error);
  }

  /** The server does not say it where we would hear it: a refused request would look like a silent server. */
  #denied(operation: string, subject: string): void {
    if (operation !== 'publish' || subject !== this.#nextSubject) return;
    const message = `Could not read ${this.#options.stream}: not permitted to publish ${subject}.`;
    this.fail('not permitted', new NatspocError('not-permitted', message));
  }

  #listen(): void {
    this.#open = true;
    this.#inbox = createInbox(this.#handles.inboxPrefix);
    this.#subscription = listen(this.#handles.connection, `${this.#inbox}.*`, {
      message: (message) => this.#receive(message),
      failed: (error) => {
        const refused = error instanceof NatsError && error.permissionContext !== undefined;
        this.fail(error.message, refused ? toNatspocError(error, `read ${this.#options.stream}`) : undefined);
      },
    });
    this.#unwatch = watchConnection(this.#handles.connection, {
      refused: (operation, subject) => this.#denied(operation, subject),
      // Requests of before the break are lost, and the consumer, which is in the server's memory, may be: one cure.
      reconnected: () => this.fail('the connection was lost'),
    });
    const everyMs = this.#options.heartbeatMs;
    const { clock = systemClock } = this.#handles;
    let heardAt = clock.now();
    let dueAt = heardAt + everyMs;
    const look = (): void => {
      const now = clock.now();
      // A timer that is late means that this process slept: what has arrived meanwhile is still unread.
      const late = now - dueAt > everyMs / 2;
      dueAt = now + everyMs;
      this.#cancelWatchdog = clock.at(dueAt, look);
      // The server speaks to requests only: while the window is full it has nothing to say.
      if (this.#heard || !this.#demand.isWaiting) heardAt = now;
      this.#heard = false;
      if (late) heardAt = Math.max(heardAt, now - everyMs);
      else if (now - heardAt > 2.5 * everyMs) this.fail(SILENCE);
    };
    this.#cancelWatchdog = clock.at(dueAt, look);
  }

  #shut(): void {
    this.#open = false;
    this.#cancelWatchdog?.();
    this.#unwatch?.();
    this.#subscription?.unsubscribe();
  }

  #fill(): void {
    while (this.#open) {
      const order = this.#demand.order();
      if (!order) return;
      this.#request(order);
    }
  }

  #request({ batch, maxBytes }: Order): void {
    const { expiresMs } = this.#limits;
    const request = {
      batch,
      expires: nanos(expiresMs),
      // The server refuses one that is longer than half of the request.
      idle_heartbeat: nanos(Math.min(this.#options.heartbeatMs, expiresMs / 2)),
      ...(maxBytes !== undefined && { max_bytes: maxBytes }),
    };
    try {
      // What the server says of a request comes to its reply subject: that has the size of the request.
      this.#handles.connection.publish(this.#nextSubject, JSON.stringify(request), {
        reply: `${this.#inbox}.${batch}`,
      });
    } catch (error) {
      // The connection is being closed. The caller is a handler that has ended and must not get this error.
      this.fail(messageOf(error));
    }
  }

  #receive(message: Msg): void {
    if (!this.#open) return;
    this.#heard = true;
    const delivery = this.#delivery;
    if (!delivery.read(message.reply ?? '')) {
      if (message.subject.startsWith(this.#inbox)) this.#receiveStatus(message);
      else this.fail(`something that is no delivery: ${message.subject}`);
      return;
    }
    const unexpected = this.#expectation.take(message, delivery);
    if (unexpected) {
      this.#shut();
      this.#sink.fault(unexpected.reason, undefined, unexpected);
      return;
    }
    this.#pending = delivery.pending;
    this.#demand.weigh(sizeOf(message));
    this.#demand.deliver();
    this.#rested = this.#rests;
    this.#rests = !this.#demand.isWaiting;
    this.#sink.message(message, delivery);
    if (this.#demand.adapt()) this.#fill();
  }

  /**
   * The server speaks to a request that waits when it has nothing for it (`processWaiting` in server/consumer.go): what
   * it had counted before has been purged, or has expired. No delivery would ever tell.
   */
  #idle(): void {
    const gone = this.#pending;
    if (gone === 0) return;
    this.#pending = 0;
    this.#sink.gone?.(gone);
  }

  #receiveStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    const text = message.headers?.description ?? '';
    if (code === 100) {
      this.#idle();
      return;
    }
    if (code === 409 && this.#limits.learn(text)) {
      // All of it was refused: the last token of the reply subject says how much that was.
      this.#rests = true;
      this.#demand.fallShort(Number(message.subject.slice(this.#inbox.length + 1)), false);
      this.#fill();
      return;
    }
    // 408: the request expired; 409 of these kinds: it reached its byte limit. Anything else ends the reader.
    if (code !== 408 && !(code === 409 && /maxbytes|batch completed/i.test(text))) {
      this.fail(`${code} ${text}`.trim());
      return;
    }
    const unserved = Number(message.headers?.get('Nats-Pending-Messages') || Number.NaN);
    if (Number.isNaN(unserved)) {
      this.fail(`${code} ${text} without a count`);
      return;
    }
    this.#rests = true;
    this.#demand.fallShort(unserved, code === 409 && message.subject === `${this.#inbox}.${unserved}`);
    this.#fill();
  }
}
