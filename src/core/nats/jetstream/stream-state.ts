import type { StreamConfig } from 'nats';
import { sleep, systemClock } from '../../lib/clock.js';
import type { EventStream, StreamBounds } from '../../ports/index.js';
import type { NatsHandles } from '../client/handles.js';
import { withoutAnswer } from '../client/no-answer.js';
import { soon } from '../client/placement.js';
import { createdAt } from './stream-identity.js';

const NANOS_PER_MS = 1_000_000;
/** Minimum interval, in milliseconds, between requests for the stream's state. Urgent requests ignore it. */
const LOOK_EVERY_MS = 20;

type Bounds = ReturnType<EventStream['bounds']>;

/** Reads the state of a stream. Callers that need it at about the same time share one request. */
export class StreamState {
  readonly #handles: NatsHandles;
  readonly #stream: string;
  readonly #configured: ((config: StreamConfig) => void) | undefined;
  /** The last request. */
  #looked: { at: number; answer: Bounds } | undefined;
  #nextLook: Bounds | undefined;

  /** @param configured receives the stream's configuration each time it is read. */
  constructor(handles: NatsHandles, stream: string, configured?: (config: StreamConfig) => void) {
    this.#handles = handles;
    this.#stream = stream;
    this.#configured = configured;
  }

  /** See {@link EventStream.bounds}. */
  bounds(since?: number): Bounds {
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

  #lookNow(): Bounds {
    const { clock = systemClock } = this.#handles;
    const answer = this.#look();
    this.#looked = { at: clock.now(), answer };
    return answer;
  }

  async #look(): Bounds {
    try {
      const info = await soon(this.#handles, this.#handles.manager.streams.info(this.#stream));
      const { state, config } = info;
      this.#configured?.(config);
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
      const doing = `read the state of stream ${this.#stream}`;
      return withoutAnswer(error, this.#handles, this.#stream, doing);
    }
  }
}
