import { type ConnectionOptions, connect, type KvEntry } from 'nats';
import { until } from './until.js';

/**
 * Resolves when a member of group `default` has renewed the session that it has now so many times: time passes for
 * the group, and the member keeps up. Rejects when the session ends, and when that takes longer than 30 s.
 */
export async function renewed(
  options: ConnectionOptions,
  stream: string,
  name: string,
  times: number,
): Promise<void> {
  const connection = await connect(options);
  try {
    const bucket = await connection.jetstream().views.kv(`${stream}_leases`, { bindOnly: true });
    const entries = await bucket.watch({ key: 'group.default.session.*' });
    let written = 0;
    let failure: unknown;
    const follow = async (): Promise<void> => {
      let key: string | undefined;
      for await (const entry of entries) {
        if (key === undefined && nameIn(entry) === name) key = entry.key;
        if (entry.key !== key) continue;
        if (entry.operation !== 'PUT') throw new Error(`the session of ${name} has ended`);
        written++;
      }
    };
    follow().catch((error: unknown) => {
      failure = error;
    });
    await until(
      `${name} has renewed ${times} times`,
      () => {
        if (failure !== undefined) throw failure;
        // The first is the one that was there.
        return written > times;
      },
      30_000,
    );
  } finally {
    await connection.close();
  }
}

function nameIn(entry: KvEntry): unknown {
  const record: unknown = entry.operation === 'PUT' ? entry.json() : null;
  return typeof record === 'object' && record !== null && 'name' in record ? record.name : undefined;
}
