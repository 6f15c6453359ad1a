import { DeliverPolicy } from 'nats';
import type { SessionTrace, SessionTraces } from '../../ports/session-traces.js';
import { keys } from '../../protocol/keys.js';
import { isId } from '../../protocol/record-format.js';
import type { NatsHandles } from '../client/handles.js';
import { toNatspocError } from '../client/outcome.js';
import { fetchAll } from '../jetstream/fetch.js';
import { bucketStream, bucketSubject, KV_OPERATION } from './bucket.js';

/** The traces of a group's sessions on a real server. */
export function natsSessionTraces(
  handles: NatsHandles,
  { bucket, group, timeoutMs }: { bucket: string; group: string; timeoutMs: number },
): SessionTraces {
  const stream = bucketStream(bucket);
  const subjectOf = (kind: SessionTrace['kind'], id: string): string =>
    bucketSubject(bucket, keys[kind](group, id));
  const read = async (kind: SessionTrace['kind']): Promise<{ traces: SessionTrace[]; nowMs: number }> => {
    const { messages, serverAheadMs } = await fetchAll(handles, {
      stream,
      filter: subjectOf(kind, '*'),
      start: { deliver_policy: DeliverPolicy.LastPerSubject },
      limit: Number.POSITIVE_INFINITY,
      headersOnly: true,
      timeoutMs,
    });
    const before = subjectOf(kind, '').length;
    const traces = messages.map(({ message, delivery }) => ({
      kind,
      id: message.subject.slice(before),
      revision: delivery.streamSequence,
      ended: Boolean(message.headers?.get(KV_OPERATION)),
      atMs: delivery.timestampMs,
    }));
    return { traces: traces.filter(({ id }) => isId(id)), nowMs: Date.now() + serverAheadMs };
  };
  return {
    async read() {
      // Sessions last: each has a proof of life before it has an entry.
      const proofs = await read('proof');
      const sessions = await read('session');
      return { traces: [...proofs.traces, ...sessions.traces], nowMs: sessions.nowMs };
    },
    async purge({ kind, id, revision }) {
      try {
        await handles.manager.streams.purge(stream, { filter: subjectOf(kind, id), seq: revision + 1 });
      } catch (error) {
        throw toNatspocError(error, `sweep ${stream}`);
      }
    },
  };
}
