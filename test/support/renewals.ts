import { type ConnectionOptions, connect, type KvEntry } from 'nats';
import { until } from './until.js';

/**
 * Resolves when a member of group `default` has renewed its current proof of life `times` times. A test uses this to let time pass while the
 * member keeps its session. Rejects if the member ends, or after 30 s.
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
    let id: string | undefined;
    for (const key of await keysOf(await bucket.keys('group.default.session.*'))) {
      const entry = await bucket.get(key);
      if (entry && nameIn(entry) === name) id = key.slice(key.lastIndexOf('.') + 1);
    }
    if (id === undefined) throw new Error(`there is no session of ${name}`);
    const entries = await bucket.watch({ key: `alive.default.${id}` });
    let written = 0;
    let failure: unknown;
    const follow = async (): Promise<void> => {
      for await (const entry of entries) {
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
        // The watch first shows the existing entry. That is no renewal.
        return written > times;
      },
      30_000,
    );
  } finally {
    await connection.close();
  }
}

async function keysOf(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}

function nameIn(entry: KvEntry): unknown {
  const record: unknown = entry.operation === 'PUT' ? entry.json() : null;
  return typeof record === 'object' && record !== null && 'name' in record ? record.name : undefined;
}
