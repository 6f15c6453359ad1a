import { type ConnectionOptions, connect, type KV } from 'nats';
import { until } from './until.js';

/**
 * Resolves when a member of group `default` has renewed the session that it has now so many times: time passes for
 * the group, and the member keeps up. Rejects when the session ends, and when it is not renewed within 30 s.
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
    const key = await sessionOf(bucket, name);
    let [revision, count] = [0, -1];
    await until(
      `${name} has renewed ${times} times`,
      async () => {
        const entry = await bucket.get(key);
        if (entry?.operation !== 'PUT') throw new Error(`the session of ${name} has ended`);
        if (entry.revision > revision) count++;
        revision = entry.revision;
        return count >= times;
      },
      30_000,
    );
  } finally {
    await connection.close();
  }
}

async function sessionOf(bucket: KV, name: string): Promise<string> {
  for await (const key of await bucket.keys('group.default.session.*')) {
    const record: unknown = (await bucket.get(key))?.json();
    if (typeof record === 'object' && record !== null && 'name' in record && record.name === name) return key;
  }
  throw new Error(`${name} has no session`);
}
