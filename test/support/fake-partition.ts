import { UNKNOWN_REST } from '../../src/core/member/partition/stream-losses.js';
import type {
  Bucket,
  EventStream,
  ReaderFault,
  ReaderOptions,
  ReaderSink,
  ReaderState,
  ReaderWindow,
  ReadOutcome,
  RemoveOutcome,
  StreamBounds,
  WriteOutcome,
} from '../../src/core/ports/index.js';
import type { StreamMessage } from '../../src/core/protocol/message.js';

/** A message as a reader delivers it, with `text` as its payload. */
export function fakeMessage(sequence: number, key: string | null = null, text = ''): StreamMessage {
  const data = new TextEncoder().encode(text);
  return {
    sequence,
    key,
    subject: 'e.p.0',
    data,
    size: data.length,
    timestampMs: 0,
    headers: (): Record<string, string> => (key === null ? {} : { 'Natspoc-Key': key }),
  };
}

/** Waits until all promises that can settle have settled. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A bucket with one key and with compare-and-set. A test can script its answers. */
export class FakeBucket implements Bucket {
  value: Uint8Array | null = null;
  revision = 0;
  /** A scripted answer is given without the request being executed. With `lost` the request is executed, and only its answer is lost. */
  readonly script: (WriteOutcome | 'lost')[] = [];
  readonly reads: ReadOutcome[] = [];
  /** The written sequences, in the order of the writes. */
  readonly writes: number[] = [];
  /** Writes wait for this promise. */
  hold: Promise<void> | undefined;

  /** Writes a record, as another client would. */
  put(record: unknown): void {
    this.value = new TextEncoder().encode(JSON.stringify(record));
    this.revision++;
  }

  get record():
    | { seq: number; epoch: number; reader?: string; created?: number; stored?: number; trimmed?: number }
    | undefined {
    return this.value ? JSON.parse(new TextDecoder().decode(this.value)) : undefined;
  }

  async read(key: string): Promise<ReadOutcome> {
    const scripted = this.reads.shift();
    if (scripted) return scripted;
    if (this.revision === 0) return { kind: 'missing' };
    return { kind: 'found', entry: { key, revision: this.revision, value: this.value } };
  }

  async write(_key: string, value: Uint8Array, expected: number): Promise<WriteOutcome> {
    await this.hold;
    const scripted = this.script.shift();
    if (scripted && scripted !== 'lost') return scripted;
    if (expected !== this.revision) return { kind: 'conflict' };
    this.value = value;
    this.revision++;
    this.writes.push(this.record?.seq ?? -1);
    return scripted === 'lost' ? { kind: 'unknown' } : { kind: 'ok', revision: this.revision };
  }

  async remove(_key: string, expected: number): Promise<WriteOutcome> {
    if (expected !== this.revision) return { kind: 'conflict' };
    this.value = null;
    return { kind: 'ok', revision: ++this.revision };
  }

  watch(): { stop: () => void } {
    return { stop() {} };
  }
}

/** A partition's stream, from which a test delivers messages. */
export class FakeStream implements EventStream {
  readonly opened: ReaderOptions[] = [];
  readonly removed: string[] = [];
  /** True if the stream does not report its bounds. */
  isSilent = false;
  range: Pick<StreamBounds, 'first' | 'last'> & Partial<StreamBounds> = { first: 1, last: 1_000 };
  /** The sequence of the partition's newest message. Undefined if the stream does not report it. */
  newestSequence: number | undefined;
  /** The fake stream gives this sequence as the first one after any time. */
  first = 1;
  readonly stored = new Map<number, number>();
  released = 0;
  /** How often the runner reported to the stream that handlers are idle. */
  starved = 0;
  /** Given when the open reader was created: the number of held messages, and the window. */
  held = 0;
  window: ReaderWindow | undefined;
  /** The next readers are refused, for these reasons. */
  readonly refusals: string[] = [];
  /** A reader opens when this promise resolves. */
  opening: Promise<void> | undefined;
  removal: RemoveOutcome = { kind: 'ok' };
  /** Set if one reader serves all partitions. */
  shared: EventStream['shared'];
  /** How another client has changed the open reader. */
  change: string | undefined;
  /** How many messages another client has pulled from the open reader. */
  stolen = 0;
  #delivered = 0;
  /** How many messages the server still holds for the reader. */
  pending = 0;
  closed = 0;
  /** The last period without a pending request before the next delivery. */
  rested = UNKNOWN_REST;
  #sink: ReaderSink | undefined;

  deliver(...messages: StreamMessage[]): void {
    for (const message of messages) {
      this.#delivered++;
      this.#sink?.message(message);
    }
  }

  fault(fault: ReaderFault): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.fault(fault, `it is ${fault}`);
  }

  async open(options: ReaderOptions, sink: ReaderSink): ReturnType<EventStream['open']> {
    this.opened.push(options);
    this.window = options.window;
    await this.opening;
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return { kind: 'refused', reason: refusal };
    this.#sink = sink;
    this.#delivered = 0;
    this.stolen = 0;
    const stream = this;
    const reader = {
      get pending() {
        return stream.pending;
      },
      get delivered() {
        return stream.#delivered;
      },
      get rested() {
        return stream.rested;
      },
      start: (held: number) => {
        this.held = held;
      },
      release: (messages: number) => {
        this.released += messages;
      },
      resize: (window: ReaderWindow) => {
        this.window = window;
      },
      starve: () => {
        this.starved++;
      },
      close: () => {
        if (this.#sink) this.closed++;
        this.#sink = undefined;
      },
    };
    return { kind: 'ok', reader };
  }

  async remove(name: string): Promise<RemoveOutcome> {
    this.removed.push(name);
    return this.removal;
  }

  async inspect(): Promise<ReaderState> {
    return { change: this.change, delivered: this.#delivered + this.stolen, waiting: this.pending };
  }

  async bounds(): ReturnType<EventStream['bounds']> {
    if (this.isSilent) return { kind: 'unknown' };
    return { kind: 'ok', missing: 0, mostPerSubject: 0, ...this.range };
  }

  async storedAt(sequence: number): Promise<number | undefined> {
    return this.stored.get(sequence);
  }

  async newest(): Promise<number | undefined> {
    return this.newestSequence;
  }

  async sequenceAt(): ReturnType<EventStream['sequenceAt']> {
    return { kind: 'ok', sequence: this.first };
  }
}
