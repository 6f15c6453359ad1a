import type { SessionTrace, SessionTraces } from '../../ports/session-traces.js';
import { keys } from '../../protocol/keys.js';
import { isId } from '../../protocol/record-format.js';
import type { NatsHandles } from '../client/handles.js';
import { purgeBefore, readHeads } from './key-heads.js';

/** Reads and purges the entries that a group's sessions have left in the bucket, on a real server. */
export function natsSessionTraces(
  handles: NatsHandles,
  { bucket, group, timeoutMs }: { bucket: string; group: string; timeoutMs: number },
): SessionTraces {
  const read = async (kind: SessionTrace['kind']): Promise<{ traces: SessionTrace[]; nowMs: number }> => {
    const { heads, nowMs } = await readHeads(handles, { bucket, prefix: keys[kind](group, ''), timeoutMs });
    const traces = heads.map(({ token: id, revision, ended, atMs }) => ({ kind, id, revision, ended, atMs }));
    return { traces: traces.filter(({ id }) => isId(id)), nowMs };
  };
  return {
    async read() {
      // A proof of life is written before its session. So proofs are read first. Otherwise the session of a new proof
      // could be missed.
      const proofs = await read('proof');
      const sessions = await read('session');
      return { traces: [...proofs.traces, ...sessions.traces], nowMs: sessions.nowMs };
    },
    purge: ({ kind, id, revision }) => purgeBefore(handles, bucket, keys[kind](group, id), revision + 1),
  };
}
