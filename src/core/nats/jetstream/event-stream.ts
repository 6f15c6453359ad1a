import { DeliverPolicy, type StreamConfig } from 'nats';
import type { NatspocError } from '../../lib/errors.js';
import type {
  EventStream,
  OpenOutcome,
  ReaderFault,
  ReaderOptions,
  ReaderSink,
  RemoveOutcome,
} from '../../ports/index.js';
import type { NoAnswer } from '../../ports/no-answer.js';
import type { GroupSubjects } from '../../protocol/layout.js';
import { mayPass } from '../client/gone.js';
import type { NatsHandles } from '../client/handles.js';
import { withoutAnswer } from '../client/no-answer.js';
import { API_ERRORS, apiErrorCode, isLimit, toNatspocError } from '../client/outcome.js';
import { soon } from '../client/placement.js';
import { changeOf } from './changed-reader.js';
import { type KeyOf, NatsStreamMessage } from './delivered-message.js';
import type { Unexpected } from './expectation.js';
import { PullReader, SILENCE } from './pull.js';
import { readMessage } from './read-message.js';
import { sequenceAtTime } from './sequence-at-time.js';
import { storedAt } from './stream-identity.js';
import { StreamState } from './stream-state.js';

const HEARTBEAT_MS = 2_000;
/** The server's answer to pending requests when their reader is deleted (status 409). */
const CONSUMER_DELETED = /consumer deleted/i;

function kindOf(reason: string, unexpected: Unexpected | undefined): ReaderFault {
  if (unexpected?.isForeign) return 'foreign';
  if (reason === SILENCE) return 'silent';
  return CONSUMER_DELETED.test(reason) ? 'deleted' : 'broken';
}

/** Options of a {@link NatsEventStream}. */
export interface EventStreamOptions {
  /** The key of a message; default: the header `Natspoc-Key`. */
  keyOf?: KeyOf | undefined;
  /** Receives the stream's configuration each time it is read. */
  configured?: (config: StreamConfig) => void;
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
  readonly #state: StreamState;
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
    this.#state = new StreamState(handles, stream, options.configured);
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
          rests: () => sink.rests?.(),
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
      if (await mayPass(error, this.#handles, this.#stream)) return { kind: 'unknown' };
      const what = options.partition === null ? '' : `partition ${options.partition} of `;
      const explained = toNatspocError(error, `read ${what}${this.#stream}`);
      if (isLimit(error)) return { kind: 'refused', reason: explained.message };
      return { kind: 'failed', error: explained };
    }
  }

  #withoutAnswer(error: unknown, doing: string): Promise<NoAnswer> {
    return withoutAnswer(error, this.#handles, this.#stream, doing);
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
      return this.#withoutAnswer(error, `delete reader ${name} of ${this.#stream}`);
    }
  }

  async inspect(name: string, partition: number | null): ReturnType<EventStream['inspect']> {
    if (!this.#tellsReaders) return 'denied';
    try {
      const info = await soon(this.#handles, this.#handles.manager.consumers.info(this.#stream, name));
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

  bounds(since?: number): ReturnType<EventStream['bounds']> {
    return this.#state.bounds(since);
  }

  storedAt(sequence: number): Promise<number | undefined> {
    return storedAt(this.#handles, this.#stream, sequence);
  }

  async newest(partition: number | null): Promise<number | undefined> {
    if (!this.#tellsNewest) return undefined;
    try {
      const found = await soon(
        this.#handles,
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
      return this.#withoutAnswer(error, `look for ${time.toISOString()} in ${this.#stream}`);
    }
  }
}
