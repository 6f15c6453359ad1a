import { DeliverPolicy } from 'nats';
import { keys } from '../group/records.js';
import type { SessionTrace, SessionTraces } from '../operate/sweep.js';
import { bucketStream, bucketSubject, KV_OPERATION } from './bucket.js';
import { fetchAll } from './fetch.js';
import type { NatsHandles } from './handles.js';
import { toNatspocError } from './outcome.js';

/** The traces of a group's sessions on a real server. */
export class NatsSessionTraces implements SessionTraces {
  readonly #handles: NatsHandles;
  readonly #stream: string;
  readonly #filter: string;
  readonly #timeoutMs: number;

  constructor(handles: NatsHandles, options: { bucket: string; group: string; timeoutMs: number }) {
    this.#handles = handles;
    this.#stream = bucketStream(options.bucket);
    this.#filter = bucketSubject(options.bucket, keys.session(options.group, '*'));
    this.#timeoutMs = options.timeoutMs;
  }

  async read(): Promise<{ traces: SessionTrace[]; nowMs: number }> {
    const { messages, serverAheadMs } = await fetchAll(this.#handles, {
      stream: this.#stream,
      filter: this.#filter,
      start: { deliver_policy: DeliverPolicy.LastPerSubject },
      limit: Number.POSITIVE_INFINITY,
      headersOnly: true,
      timeoutMs: this.#timeoutMs,
    });
    const traces = messages.map(({ message, delivery }) => ({
      revision: delivery.streamSequence,
      ended: Boolean(message.headers?.get(KV_OPERATION)),
      atMs: delivery.timestampMs,
    }));
    return { traces, nowMs: Date.now() + serverAheadMs };
  }

  async purge(below: number): Promise<void> {
    try {
      await this.#handles.manager.streams.purge(this.#stream, { filter: this.#filter, seq: below });
    } catch (error) {
      throw toNatspocError(error, `sweep ${this.#stream}`);
    }
  }
}
