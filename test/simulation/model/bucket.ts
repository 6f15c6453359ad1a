import { NatsBucket } from '../../../src/core/nats/kv/bucket.js';
import type { Bucket, Watch, WatchSink } from '../../../src/core/ports/index.js';
import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import { BUCKET } from './bucket-api.js';
import type { SimClient } from './client.js';

/** The bucket of one member: the real implementation, on the simulated client, with observers. */
export class SimBucket implements Bucket {
  /** The newest revision that the watch delivered, by key. */
  readonly seen = new Map<string, number>();
  readonly #bucket: NatsBucket;
  readonly #sending: (key: string, value: Uint8Array) => void;
  readonly #seeing: () => void;

  /** `sending` is called for each write when it is sent. `seeing` is called for each snapshot. */
  constructor(
    client: SimClient,
    timeoutMs: number,
    sending: (key: string, value: Uint8Array) => void,
    seeing: () => void,
  ) {
    this.#bucket = new NatsBucket(client.handles, BUCKET, timeoutMs);
    this.#sending = sending;
    this.#seeing = seeing;
  }

  read(key: string): ReturnType<Bucket['read']> {
    return this.#bucket.read(key);
  }

  write(...args: Parameters<Bucket['write']>): ReturnType<Bucket['write']> {
    const [key, value] = args;
    this.#sending(key, value);
    return this.#bucket.write(...args);
  }

  remove(...args: Parameters<Bucket['remove']>): ReturnType<Bucket['remove']> {
    return this.#bucket.remove(...args);
  }

  watch(prefix: string, sink: WatchSink): Watch {
    const see = (entries: BucketEntry[]): void => {
      for (const { key, revision } of entries) this.seen.set(key, revision);
    };
    return this.#bucket.watch(prefix, {
      snapshot: (entries) => {
        this.seen.clear();
        this.#seeing();
        see(entries);
        sink.snapshot(entries);
      },
      changes: (entries) => {
        see(entries);
        sink.changes(entries);
      },
      failed: (error) => sink.failed(error),
    });
  }
}
