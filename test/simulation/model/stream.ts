import { NatspocError } from '../../../src/core/errors.js';
import type {
  EventStream,
  OpenOutcome,
  Reader,
  ReaderFault,
  ReaderOptions,
  ReaderSink,
  RemoveOutcome,
  StreamMessage,
} from '../../../src/core/ports.js';
import type { Connection, Side } from './connection.js';
import type { EventLog, ServerReader, Stored } from './log.js';
import { request } from './request.js';

const TIMEOUT_MS = 5_000;
const NO_DATA = new Uint8Array(0);
const NO_HEADERS: Record<string, string> = {};

class SimMessage implements StreamMessage {
  readonly data = NO_DATA;
  readonly size = 0;
  readonly timestampMs = 0;
  readonly key = null;
  readonly sequence: number;

  constructor(readonly stored: Stored) {
    this.sequence = stored.sequence;
  }

  get subject(): string {
    return `subject.p.${this.stored.partition}`;
  }

  headers(): Record<string, string> {
    return NO_HEADERS;
  }
}

/** The stream as one member reaches it. */
export class SimStream implements EventStream {
  readonly #log: EventLog;
  readonly #connection: Connection;
  readonly #open = new Set<SimReader>();
  readonly #opened: (partition: number) => void;

  /** `opened` hears of each reader that starts. */
  constructor(log: EventLog, connection: Connection, opened: (partition: number) => void) {
    this.#log = log;
    this.#connection = connection;
    this.#opened = opened;
    const failAll = () => {
      for (const reader of [...this.#open]) reader.fail('broken');
    };
    connection.listen({ reconnected: failAll, silent: failAll });
  }

  async open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome> {
    const reader = new SimReader(this.#log, this.#connection, this.#open, options, sink);
    const outcome = await request<'ok' | 'taken' | 'unknown'>(
      this.#connection,
      TIMEOUT_MS,
      (side, answer) => answer(reader.create(side) ? 'ok' : 'taken'),
      'unknown',
    );
    if (outcome === 'unknown') return { kind: 'unknown' };
    if (outcome === 'taken')
      return { kind: 'failed', error: new NatspocError('failed', `reader ${options.name} exists already`) };
    this.#opened(options.partition);
    reader.listen();
    return { kind: 'ok', reader };
  }

  remove(name: string): Promise<RemoveOutcome> {
    return request<RemoveOutcome>(
      this.#connection,
      TIMEOUT_MS,
      (_side, answer) => {
        this.#log.delete(name);
        answer({ kind: 'ok' });
      },
      { kind: 'unknown' },
    );
  }

  bounds(): ReturnType<EventStream['bounds']> {
    return request<Awaited<ReturnType<EventStream['bounds']>>>(
      this.#connection,
      TIMEOUT_MS,
      (_side, answer) => answer({ kind: 'ok', first: 1, last: this.#log.last }),
      { kind: 'unknown' },
    );
  }

  sequenceAt(): ReturnType<EventStream['sequenceAt']> {
    return Promise.resolve({ kind: 'unknown' });
  }
}

class SimReader implements Reader {
  pending = 0;
  readonly #log: EventLog;
  readonly #connection: Connection;
  readonly #siblings: Set<SimReader>;
  readonly #options: ReaderOptions;
  readonly #sink: ReaderSink;
  #window: number;
  #server: ServerReader | undefined;
  #isOpen = false;
  #expected = 1;
  /** Asked for and not delivered yet; delivered and not released yet. */
  #outstanding = 0;
  #held = 0;

  constructor(
    log: EventLog,
    connection: Connection,
    siblings: Set<SimReader>,
    options: ReaderOptions,
    sink: ReaderSink,
  ) {
    this.#log = log;
    this.#connection = connection;
    this.#siblings = siblings;
    this.#options = options;
    this.#sink = sink;
    this.#window = options.window.messages;
  }

  /** At the server: false where the name is taken. */
  create(side: Side): boolean {
    const { name, partition, startSequence } = this.#options;
    const first = this.#log.firstAfter(partition, startSequence - 1);
    const next = first?.index ?? this.#log.of(partition).length;
    this.pending = this.#log.of(partition).length - next;
    const server: ServerReader = {
      name,
      partition,
      startSequence,
      side,
      credit: 0,
      next,
      delivered: 0,
      push: (batch, at, pending) => this.#connection.deliver(side, () => this.#receive(batch, at, pending)),
      deleted: () => this.#connection.deliver(side, () => this.fail('deleted')),
    };
    if (!this.#log.create(server)) return false;
    this.#server = server;
    return true;
  }

  listen(): void {
    this.#isOpen = true;
    this.#siblings.add(this);
  }

  start(held: number): void {
    this.#held = held;
    this.#fill();
  }

  release(messages: number): void {
    this.#held -= messages;
    this.#fill();
  }

  resize(window: { messages: number }): void {
    this.#window = window.messages;
    this.#fill();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#shut();
    this.#connection.send(() => this.#log.delete(this.#options.name));
  }

  fail(fault: ReaderFault): void {
    if (!this.#isOpen) return;
    this.#shut();
    this.#sink.fault(fault);
  }

  #shut(): void {
    this.#isOpen = false;
    this.#siblings.delete(this);
  }

  #fill(): void {
    const server = this.#server;
    const more = this.#window - this.#outstanding - this.#held;
    if (!this.#isOpen || !server || more < Math.max(1, this.#window / 2)) return;
    this.#outstanding += more;
    this.#connection.send(() => this.#log.pull(server, more));
  }

  #receive(batch: Stored[], first: number, pending: number): void {
    if (!this.#isOpen) return;
    if (first !== this.#expected) {
      this.fail('broken');
      return;
    }
    this.#expected += batch.length;
    this.#outstanding -= batch.length;
    this.#held += batch.length;
    batch.forEach((stored, i) => {
      this.pending = pending + batch.length - 1 - i;
      this.#sink.message(new SimMessage(stored));
    });
    this.#fill();
  }
}
