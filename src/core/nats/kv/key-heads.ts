import { DeliverPolicy } from 'nats';
import type { NatsHandles } from '../client/handles.js';
import { toNatspocError } from '../client/outcome.js';
import { fetchAll } from '../jetstream/fetch.js';
import { bucketStream, bucketSubject, KV_OPERATION } from './bucket.js';

/** The newest entry of a key, without its value. `entries`: the number of the key's entries, if they were counted. */
export interface KeyHead {
  /** The last part of the key. */
  token: string;
  revision: number;
  /** True for a deletion marker. */
  ended: boolean;
  /** When the entry was stored, in milliseconds since 1970 on the server's clock. */
  atMs: number;
  entries: number;
}

interface KeysPlace {
  bucket: string;
  /** After the prefix, each key has exactly one more token. */
  prefix: string;
  timeoutMs: number;
}

/** The newest entries of all keys under a prefix. `counted`: count the older entries too. `nowMs`: the server's time. */
export async function readHeads(
  handles: NatsHandles,
  { bucket, prefix, timeoutMs }: KeysPlace,
  counted = false,
): Promise<{ heads: KeyHead[]; nowMs: number }> {
  const { messages, serverAheadMs } = await fetchAll(handles, {
    stream: bucketStream(bucket),
    filter: bucketSubject(bucket, `${prefix}*`),
    start: { deliver_policy: counted ? DeliverPolicy.All : DeliverPolicy.LastPerSubject },
    limit: Number.POSITIVE_INFINITY,
    headersOnly: true,
    timeoutMs,
  });
  const before = bucketSubject(bucket, prefix).length;
  const heads = new Map<string, KeyHead>();
  for (const { subject, headers, sequence: revision, atMs } of messages) {
    const token = subject.slice(before);
    heads.set(token, {
      token,
      revision,
      ended: Boolean(headers?.get(KV_OPERATION)),
      atMs,
      entries: (heads.get(token)?.entries ?? 0) + 1,
    });
  }
  return { heads: [...heads.values()], nowMs: Date.now() + serverAheadMs };
}

/**
 * Deletes a key's entries older than this revision, without a deletion marker.
 *
 * @throws NatspocError if the deletion fails.
 */
export async function purgeBefore(
  { manager }: NatsHandles,
  bucket: string,
  key: string,
  revision: number,
): Promise<void> {
  const stream = bucketStream(bucket);
  try {
    await manager.streams.purge(stream, { filter: bucketSubject(bucket, key), seq: revision });
  } catch (error) {
    throw toNatspocError(error, `sweep ${stream}`);
  }
}
