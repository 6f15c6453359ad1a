import { DeliverPolicy, type Msg, nuid } from 'nats';
import type { Watch } from '../../ports/index.js';
import type { StoredMessage } from '../../ports/stream-admin.js';
import { isUnknownOutcome, toNatspocError } from '../client/outcome.js';
import type { Topology } from '../stream/topology.js';
import type { DeliveryInfo } from './delivery.js';
import { PullReader } from './pull.js';
import { storedMessage } from './stored-message.js';

const WINDOW = { messages: 512, bytes: 4_194_304 };
const HEARTBEAT_MS = 2_000;
const RETRY_MS = 250;

/** What to read. */
export interface TailOptions {
  /** Subject filter: a partition, or the wildcard of all. */
  filter: string;
  startSequence: number;
  message: (message: StoredMessage) => void;
  failed: (error: unknown) => void;
}

/** Reads stored and then new messages in order, and continues after the last one if the reader fails. */
export function tailMessages(topology: Topology, options: TailOptions): Watch {
  const tail = new Tail(topology, options);
  void tail.open();
  return tail;
}

class Tail implements Watch {
  readonly #topology: Topology;
  readonly #options: TailOptions;
  #next: number;
  #reader: PullReader | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(topology: Topology, options: TailOptions) {
    this.#topology = topology;
    this.#options = options;
    this.#next = options.startSequence;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#reader?.close();
  }

  async open(): Promise<void> {
    if (this.#stopped) return;
    const { stream } = this.#topology;
    try {
      const { reader } = await PullReader.open(
        this.#topology,
        {
          stream,
          name: `natspoc-tail-${nuid.next()}`,
          filter: this.#options.filter,
          start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, this.#next) },
          window: WINDOW,
          heartbeatMs: HEARTBEAT_MS,
        },
        {
          message: (message, delivery) => this.#receive(message, delivery),
          fault: (_reason, error) => (error ? this.#options.failed(error) : this.#reopen()),
        },
      );
      this.#reader = reader;
      if (this.#stopped) reader.close();
      else reader.start();
    } catch (error) {
      if (this.#stopped) return;
      if (isUnknownOutcome(error)) this.#reopen();
      else this.#options.failed(toNatspocError(error, `read ${stream}`));
    }
  }

  #reopen(): void {
    this.#reader = undefined;
    if (!this.#stopped) this.#timer = setTimeout(() => void this.open(), RETRY_MS);
  }

  #receive(message: Msg, { streamSequence: sequence, timestampMs: atMs }: DeliveryInfo): void {
    this.#next = sequence + 1;
    this.#reader?.release(1);
    const { subject, headers, data } = message;
    const { prefix } = this.#topology.layout;
    this.#options.message(storedMessage(prefix, { sequence, atMs, subject, headers, data }));
  }
}
