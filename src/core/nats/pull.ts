import { AckPolicy, type ConsumerConfig, createInbox, type Msg, type Subscription } from 'nats';
import { type DeliveryInfo, parseDelivery } from './delivery.js';
import type { NatsHandles } from './handles.js';

/** How long one pull request waits at the server. Renewed as long as the reader lives. */
const PULL_EXPIRES_MS = 30_000;
/** Overlapping requests: one is being served while the next is on its way. */
const MAX_REQUESTS = 2;
/** The server deletes a reader of a process that vanished after this long. */
const INACTIVE_THRESHOLD_MS = 30_000;

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
  /** At most this many messages, and about this many bytes, delivered and not yet released. */
  window: { messages: number; bytes: number };
  /** The server speaks at least this often; two silences in a row are a fault. */
  heartbeatMs: number;
}

/** Receives what is pulled. After `fault` nothing more comes. */
export interface PullSink {
  message(message: Msg, delivery: DeliveryInfo): void;
  fault(reason: string): void;
}

/**
 * A pull consumer with no acknowledgements, kept supplied with requests within a window. Deliveries are
 * contiguous by consumer sequence or the reader faults; it never repairs itself.
 */
export class PullReader {
  readonly #handles: NatsHandles;
  readonly #options: PullOptions;
  readonly #sink: PullSink;
  readonly #nextSubject: string;
  #window: { messages: number; bytes: number };
  #subscription: Subscription | undefined;
  #inbox = '';
  #requests = 0;
  /** Messages requested and neither delivered nor given back by the end of a request. */
  #outstanding = 0;
  #held = 0;
  #heldBytes = 0;
  #averageBytes = 0;
  #oversize = false;
  #consumerSequence = 0;
  #lastHeardAt = 0;
  #watchdog: NodeJS.Timeout | undefined;
  #open = false;

  private constructor(handles: NatsHandles, options: PullOptions, sink: PullSink) {
    this.#handles = handles;
    this.#options = options;
    this.#sink = sink;
    this.#window = { ...options.window };
    // The prefix carries a JetStream domain, where there is one.
    this.#nextSubject = `${handles.manager.getOptions().apiPrefix}.CONSUMER.MSG.NEXT.${options.stream}.${options.name}`;
  }

  /**
   * Creates the consumer and starts to pull.
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
    const reader = new PullReader(handles, options, sink);
    reader.#start();
    return { reader, pending: info.num_pending };
  }

  /** Gives room back to the window. */
  release(messages: number, bytes: number): void {
    this.#held -= messages;
    this.#heldBytes -= bytes;
    this.#fill();
  }

  /** Changes the window; requests under way are not taken back. */
  resize(window: { messages: number; bytes: number }): void {
    this.#window = { ...window };
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
  fail(reason: string): void {
    if (!this.#open) return;
    this.#shut();
    this.#sink.fault(reason);
  }

  #start(): void {
    this.#open = true;
    this.#inbox = createInbox(this.#handles.inboxPrefix);
    this.#subscription = this.#handles.connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error) this.fail(error.message);
        else this.#receive(message);
      },
    });
    this.#lastHeardAt = performance.now();
    const everyMs = this.#options.heartbeatMs;
    let dueAt = performance.now() + everyMs;
    this.#watchdog = setInterval(() => {
      const now = performance.now();
      // A timer that is late means that this process slept: what has arrived meanwhile is still unread.
      const late = now - dueAt > everyMs / 2;
      dueAt = now + everyMs;
      if (late) this.#lastHeardAt = Math.max(this.#lastHeardAt, now - everyMs);
      else if (now - this.#lastHeardAt > 2.5 * everyMs) this.fail('the server is silent');
    }, everyMs);
    this.#fill();
  }

  #shut(): void {
    this.#open = false;
    clearInterval(this.#watchdog);
    this.#subscription?.unsubscribe();
  }

  /** Asks for more once half of the window is free, so that requests stay few. */
  #fill(): void {
    if (!this.#open || this.#requests >= MAX_REQUESTS) return;
    const byBytes = this.#averageBytes > 0 ? Math.floor(this.#window.bytes / this.#averageBytes) : 64;
    const target = Math.max(1, Math.min(this.#window.messages, byBytes));
    const batch = target - this.#outstanding - this.#held;
    if (batch < Math.max(1, target / 2)) return;
    const request = {
      batch: this.#oversize ? 1 : batch,
      expires: nanos(PULL_EXPIRES_MS),
      idle_heartbeat: nanos(this.#options.heartbeatMs),
      ...(!this.#oversize && { max_bytes: this.#window.bytes }),
    };
    this.#oversize = false;
    this.#requests++;
    this.#outstanding += request.batch;
    this.#handles.connection.publish(this.#nextSubject, JSON.stringify(request), { reply: this.#inbox });
  }

  #receive(message: Msg): void {
    if (!this.#open) return;
    this.#lastHeardAt = performance.now();
    if (message.subject === this.#inbox) {
      this.#receiveStatus(message);
      return;
    }
    const delivery = message.reply === undefined ? undefined : parseDelivery(message.reply);
    if (!delivery || delivery.consumerSequence !== this.#consumerSequence + 1) {
      this.fail(`gap after ${this.#consumerSequence} deliveries`);
      return;
    }
    this.#consumerSequence = delivery.consumerSequence;
    const bytes = message.data.length;
    this.#held++;
    this.#heldBytes += bytes;
    this.#averageBytes =
      this.#averageBytes === 0 ? bytes + 1 : this.#averageBytes * 0.95 + (bytes + 1) * 0.05;
    if (--this.#outstanding <= 0) this.#requests = 0;
    this.#sink.message(message, delivery);
    this.#fill();
  }

  #receiveStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    const text = message.headers?.description ?? '';
    if (code === 100) return;
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
    this.#requests = Math.max(0, this.#requests - 1);
    this.#outstanding = Math.max(0, this.#outstanding - unserved);
    this.#oversize = code === 409 && this.#held === 0 && this.#outstanding === 0;
    this.#fill();
  }
}
