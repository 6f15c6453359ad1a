import { type ConnectionOptions, connect, type KvEntry } from 'nats';

/**
 * Resolves when a member of group `default` has renewed the session that it has now so many times: time passes for
 * the group, and the member keeps up. Waits for as long as that takes; rejects when the session ends.
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
    let key: string | undefined;
    let written = 0;
    for await (const entry of await bucket.watch({ key: 'group.default.session.*' })) {
      if (key === undefined && nameIn(entry) === name) key = entry.key;
      if (entry.key !== key) continue;
      if (entry.operation !== 'PUT') throw new Error(`the session of ${name} has ended`);
      // The first is the one that was there.
      if (written++ === times) return;
    }
  } finally {
    await connection.close();
  }
}

function nameIn(entry: KvEntry): unknown {
  const record: unknown = entry.operation === 'PUT' ? entry.json() : null;
  return typeof record === 'object' && record !== null && 'name' in record ? record.name : undefined;
}
