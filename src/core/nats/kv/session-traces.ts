import { DeliverPolicy } from 'nats';
import type { SessionTrace, SessionTraces } from '../../ports/session-traces.js';
import { keys } from '../../protocol/keys.js';
import { isId } from '../../protocol/records.js';
import type { NatsHandles } from '../client/handles.js';
import { toNatspocError } from '../client/outcome.js';
import { fetchAll } from '../jetstream/fetch.js';
import { bucketStream, bucketSubject, KV_OPERATION } from './bucket.js';

/** The traces of a group's sessions on a real server. */
export class NatsSessionTraces implements SessionTraces {
  readonly #handles: NatsHandles;
  readonly #stream: string;
  readonly #subject: (kind: SessionTrace['kind'], id: string) => string;
  readonly #timeoutMs: number;

  constructor(handles: NatsHandles, options: { bucket: string; group: string; timeoutMs: number }) {
    const { bucket, group, timeoutMs } = options;
    this.#handles = handles;
    this.#stream = bucketStream(bucket);
    this.#subject = (kind, id) => bucketSubject(bucket, keys[kind](group, id));
    this.#timeoutMs = timeoutMs;
  }

  async read(): Promise<{ traces: SessionTrace[]; nowMs: number }> {
    // Sessions last: each has a proof of life before it has an entry.
    const proofs = await this.#read('proof');
    const sessions = await this.#read('session');
    return { traces: [...proofs.traces, ...sessions.traces], nowMs: sessions.nowMs };
  }

  async purge({ kind, id, revision }: SessionTrace): Promise<void> {
    const filter = this.#subject(kind, id);
    try {
      await this.#handles.manager.streams.purge(this.#stream, { filter, seq: revision + 1 });
    } catch (error) {
      throw toNatspocError(error, `sweep ${this.#stream}`);
    }
  }

  async #read(kind: SessionTrace['kind']): Promise<{ traces: SessionTrace[]; nowMs: number }> {
    const { messages, serverAheadMs } = await fetchAll(this.#handles, {
      stream: this.#stream,
      filter: this.#subject(kind, '*'),
      start: { deliver_policy: DeliverPolicy.LastPerSubject },
      limit: Number.POSITIVE_INFINITY,
      headersOnly: true,
      timeoutMs: this.#timeoutMs,
    });
    const before = this.#subject(kind, '').length;
    const traces = messages.map(({ message, delivery }) => ({
      kind,
      id: message.subject.slice(before),
      revision: delivery.streamSequence,
      ended: Boolean(message.headers?.get(KV_OPERATION)),
      atMs: delivery.timestampMs,
    }));
    return { traces: traces.filter(({ id }) => isId(id)), nowMs: Date.now() + serverAheadMs };
  }
}
