import { DeliverPolicy, type Msg, type StreamConfig } from 'nats';
import { sleep, systemClock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type {
  EventStream,
  OpenOutcome,
  ReaderFault,
  ReaderOptions,
  ReaderSink,
  RemoveOutcome,
  StreamBounds,
} from '../../ports/index.js';
import { type GroupSubjects, KEY_HEADER } from '../../protocol/layout.js';
import type { StreamMessage } from '../../protocol/message.js';
import { mayPass } from '../client/gone.js';
import type { NatsHandles } from '../client/handles.js';
import { plainHeaders } from '../client/headers.js';
import { API_ERRORS, apiErrorCode, isLimit, toNatspocError } from '../client/outcome.js';
import { within } from '../client/placement.js';
import { changeOf } from './changed-reader.js';
import { type DeliveryReader, timestampAt } from './delivery.js';
import type { Unexpected } from './expectation.js';
import { PullReader, SILENCE } from './pull.js';
import { readMessage } from './read-stream.js';
import { sequenceAtTime } from './sequence-at-time.js';
import { createdAt, storedAt } from './stream-identity.js';

const HEARTBEAT_MS = 2_000;
const NANOS_PER_MS = 1_000_000;
/** Minimum interval, in milliseconds, between requests for the stream's state. Urgent requests ignore it. */
const LOOK_EVERY_MS = 20;
/** The server's answer to pending requests when their reader is deleted (status 409). */
const CONSUMER_DELETED = /consumer deleted/i;

function kindOf(reason: string, unexpected: Unexpected | undefined): ReaderFault {
  if (unexpected?.isForeign) return 'foreign';
  if (reason === SILENCE) return 'silent';
  return CONSUMER_DELETED.test(reason) ? 'deleted' : 'broken';
}

type KeyOf = (message: StreamMessage) => string | null;

/** Options of a {@link NatsEventStream}. */
export interface EventStreamOptions {
  /** The key of a message; default: the header `Natspoc-Key`. */
  keyOf?: KeyOf | undefined;
  /** Receives the stream's configuration each time it is read. */
  configured?: (config: StreamConfig) => void;
}

/** A delivered message that is decoded on demand. */
class NatsStreamMessage implements StreamMessage {
  readonly #message: Msg;
  readonly sequence: number;
  readonly #timeAt: number;
  readonly #keyOf: KeyOf | undefined;
  #data: Uint8Array | undefined;
  #key: string | null | undefined;

  constructor(message: Msg, delivery: DeliveryReader, keyOf: KeyOf | undefined) {
    this.#message = message;
    this.#keyOf = keyOf;
    this.#timeAt = delivery.timeAt;
    this.sequence = delivery.streamSequence;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get data(): Uint8Array {
    this.#data ??= this.#message.data;
    return this.#data;
  }

  get timestampMs(): number {
    return timestampAt(this.#message.reply ?? '', this.#timeAt);
  }

  get size(): number {
    return this.data.length;
  }

  get key(): string | null {
    if (!this.#keyOf) return this.#message.headers?.get(KEY_HEADER) || null;
    // The key is read several times, and parsing a JSON payload is slow.
    if (this.#key === undefined) this.#key = this.#keyOf(this);
    return this.#key;
  }

  headers(): Record<string, string> {
    return plainHeaders(this.#message.headers);
  }
}

/** The partitioned stream on a real server. */
export class NatsEventStream implements EventStream {
  readonly #handles: NatsHandles;
  readonly #stream: string;
  readonly #subjects: GroupSubjects;
  readonly #options: EventStreamOptions;
  #failure: NatspocError | undefined;
  /** False after a refusal to show a reader's state. */
  #tellsReaders = true;
  /** False after a refusal to show a partition's newest message. */
  #tellsNewest = true;
  /** The last request for the stream's state. */
  #looked: { at: number; answer: ReturnType<EventStream['bounds']> } | undefined;
  #nextLook: ReturnType<EventStream['bounds']> | undefined;
  /**
   * The last suspicious message of each partition. It arrived without a payload, but with the header of an omitted
   * payload.
   */
  readonly #doubts = new Map<number | null, number>();

  constructor(
    handles: NatsHandles,
    stream: string,
    subjects: GroupSubjects,
    options: EventStreamOptions = {},
  ) {
    this.#options = options;
    this.#handles = handles;
    this.#stream = stream;
    this.#subjects = subjects;
  }

  async open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome> {
    // Otherwise a refused reader would be opened and refused again without end.
    if (this.#failure) return { kind: 'failed', error: this.#failure };
    try {
      const { reader } = await PullReader.open(
        this.#handles,
        {
          stream: this.#stream,
          name: options.name,
          filter: this.#filter(options.partition),
          start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: options.startSequence },
          window: options.window,
          concurrency: options.concurrency,
          emptyAt: await this.#emptyAt(options.partition),
          heartbeatMs: HEARTBEAT_MS,
        },
        {
          message: (message, delivery) =>
            sink.message(new NatsStreamMessage(message, delivery, this.#options.keyOf)),
          gone: (messages) => sink.gone?.(messages),
          fault: (reason, error, unexpected) => {
            this.#failure ??= error;
            if (unexpected?.withoutPayload !== undefined)
              this.#doubts.set(options.partition, unexpected.withoutPayload);
            sink.fault(kindOf(reason, unexpected), reason);
          },
        },
      );
      return { kind: 'ok', reader };
    } catch (error) {
      if (await this.#mayPass(error)) return { kind: 'unknown' };
      const what = options.partition === null ? '' : `partition ${options.partition} of `;
      const explained = toNatspocError(error, `read ${what}${this.#stream}`);
      if (isLimit(error)) return { kind: 'refused', reason: explained.message };
      return { kind: 'failed', error: explained };
    }
  }

  #mayPass(error: unknown): Promise<boolean> {
    return mayPass(error, this.#handles, this.#stream);
  }

  #filter(partition: number | null): string {
    return partition === null ? this.#subjects.all : this.#subjects.of(partition)[0];
  }

  async remove(name: string): Promise<RemoveOutcome> {
    try {
      await this.#handles.manager.consumers.delete(this.#stream, name);
      return { kind: 'ok' };
    } catch (error) {
      if (apiErrorCode(error) === API_ERRORS.consumerNotFound) return { kind: 'ok' };
      if (await this.#mayPass(error)) return { kind: 'unknown' };
      return { kind: 'failed', error: toNatspocError(error, `delete reader ${name} of ${this.#stream}`) };
    }
  }

  async inspect(name: string, partition: number | null): ReturnType<EventStream['inspect']> {
    if (!this.#tellsReaders) return 'denied';
    try {
      const info = await this.#soon(this.#handles.manager.consumers.info(this.#stream, name));
      const change = changeOf(info, this.#filter(partition));
      return { change, delivered: info.delivered.consumer_seq, waiting: info.num_pending };
    } catch (error) {
      if (apiErrorCode(error) === API_ERRORS.consumerNotFound) return 'gone';
      // The server logs a line for each refused request, so there is only one.
      if (toNatspocError(error, 'look at a reader').code !== 'not-permitted') return undefined;
      this.#tellsReaders = false;
      return 'denied';
    }
  }

  bounds(since?: number): ReturnType<EventStream['bounds']> {
    const { clock = systemClock } = this.#handles;
    const now = clock.now();
    const { at, answer } = this.#looked ?? {};
    if (since === undefined || at === undefined) return this.#lookNow();
    if (answer && at >= since) return answer;
    if (at + LOOK_EVERY_MS <= now) return this.#lookNow();
    // Every partition needs the stream's state before a commit. All callers that wait share the next request.
    this.#nextLook ??= sleep(clock, at + LOOK_EVERY_MS - now).then(() => {
      this.#nextLook = undefined;
      return this.#lookNow();
    });
    return this.#nextLook;
  }

  /** @throws NatsError `TIMEOUT` if there is no answer within {@link NatsHandles.answerMs}. */
  #soon<T>(answer: Promise<T>): Promise<T> {
    const { answerMs, clock } = this.#handles;
    return answerMs === undefined ? answer : within(answer, answerMs, clock);
  }

  #lookNow(): ReturnType<EventStream['bounds']> {
    const { clock = systemClock } = this.#handles;
    const answer = this.#look();
    this.#looked = { at: clock.now(), answer };
    return answer;
  }

  async #look(): ReturnType<EventStream['bounds']> {
    try {
      const info = await this.#soon(this.#handles.manager.streams.info(this.#stream));
      const { state, config } = info;
      this.#options.configured?.(config);
      const bounds: StreamBounds = {
        first: state.first_seq,
        last: state.last_seq,
        missing: state.num_deleted ?? 0,
        mostPerSubject: Math.max(0, config.max_msgs_per_subject ?? 0),
        created: createdAt(info, this.#handles.connection),
        lastStoredMs: Date.parse(state.last_ts) || undefined,
        maxAgeMs: config.max_age ? config.max_age / NANOS_PER_MS : undefined,
        leader: info.cluster?.leader,
      };
      return { kind: 'ok', ...bounds };
    } catch (error) {
      if (await this.#mayPass(error)) return { kind: 'unknown' };
      return { kind: 'failed', error: toNatspocError(error, `read the state of stream ${this.#stream}`) };
    }
  }

  /**
   * The sequence of the suspicious message, if it is really stored without a payload. Then its publisher set the header
   * of an omitted payload, not the server. Without this check, every new reader would stop at that message.
   */
  async #emptyAt(partition: number | null): Promise<number | undefined> {
    const seq = this.#doubts.get(partition);
    if (seq === undefined) return undefined;
    try {
      const found = await readMessage(this.#handles, this.#stream, { seq });
      return found?.data.length === 0 ? seq : undefined;
    } catch {
      return undefined;
    }
  }

  storedAt(sequence: number): Promise<number | undefined> {
    return storedAt(this.#handles, this.#stream, sequence);
  }

  async newest(partition: number | null): Promise<number | undefined> {
    if (!this.#tellsNewest) return undefined;
    try {
      const found = await this.#soon(
        readMessage(this.#handles, this.#stream, { last_by_subj: this.#filter(partition) }),
      );
      return found?.sequence ?? 0;
    } catch (error) {
      if (toNatspocError(error, 'read the newest message').code === 'not-permitted')
        this.#tellsNewest = false;
      return undefined;
    }
  }

  async sequenceAt(time: Date): ReturnType<EventStream['sequenceAt']> {
    try {
      const source = { stream: this.#stream, filter: this.#subjects.all };
      return { kind: 'ok', sequence: await sequenceAtTime(this.#handles, source, time) };
    } catch (error) {
      if (await this.#mayPass(error)) return { kind: 'unknown' };
      const doing = `look for ${time.toISOString()} in ${this.#stream}`;
      return { kind: 'failed', error: toNatspocError(error, doing) };
    }
  }
}
