import type { Config } from '../config/config.js';
import type { NatsConnection } from '../nats/client/connection.js';
import { BucketCopy } from '../nats/kv/bucket-copy.js';
import type { Latest, StoredEntry } from '../nats/kv/bucket-past.js';
import { updateCopy } from '../nats/stream/existing-bucket.js';
import type { EndFacts, StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import { groupProvedBy, keys } from '../protocol/keys.js';
import { RememberedReads } from './remembered-reads.js';

/** The first two tokens of a key or prefix: `group.orders` for `group.orders.lease.3`. */
const partOf = (key: string): string => key.split('.', 2).join('.');

/**
 * Reads that all groups of a stream share: the bucket, the ends of the partitions, the state of the stream. Keyed groups see the whole
 * stream. They share its state only with each other.
 */
export class SharedReads {
  readonly #copy = new BucketCopy();
  #entries = new Map<string, StoredEntry[]>();
  /** The ends of the stream's own partitions. `stream` describes the stream at that time. */
  #ends: { stream: string; read: Promise<EndFacts[]> } | undefined;
  readonly #streams = new Map<string, Promise<StreamFacts>>();
  readonly #remembered = new Map<string, { reads: RememberedReads; stream: () => Promise<StreamFacts> }>();

  /**
   * Brings the copy of the bucket up to date. Stream data that is read after this call is at least as new as the copy.
   *
   * @throws NatspocError `stream-missing`, `unreachable`, …
   */
  async begin(connection: NatsConnection, config: Config): Promise<void> {
    const entries = new Map<string, StoredEntry[]>();
    await updateCopy(connection, config, this.#copy);
    for (const entry of this.#copy.entries) {
      const part = partOf(entry.key);
      const known = entries.get(part);
      if (known) known.push(entry);
      else entries.set(part, [entry]);
    }
    this.#entries = entries;
    this.#streams.clear();
    const { groups } = this;
    for (const group of this.#remembered.keys()) if (!groups.includes(group)) this.#remembered.delete(group);
  }

  /** The names of all groups, sorted. */
  get groups(): string[] {
    const names = new Set<string>();
    for (const entries of this.#entries.values())
      for (const { key } of entries) names.add(groupProvedBy(key) ?? '');
    names.delete('');
    return [...names].sort();
  }

  /** The revisions of the layouts that decide which messages a group handles. If the value changes, the group's layout has changed. */
  layoutOf(group: string): string {
    const own = keys.groupLayout(group);
    const revisions = [keys.layout, own].map(
      (wanted) => this.#entries.get(partOf(wanted))?.find(({ key }) => key === wanted)?.revision ?? 0,
    );
    return revisions.join(' ');
  }

  /** The newest entries whose keys start with a prefix, as of the last {@link begin}. */
  readonly latest: Latest = (prefix) =>
    (this.#entries.get(partOf(prefix)) ?? []).filter(({ key }) => key.startsWith(prefix));

  /** Wraps the observer of a group. It then shares reads with other groups, and reuses results that are still valid. */
  share(observer: GroupObserver, group: string, isKeyed: boolean): GroupObserver {
    const kind = isKeyed ? 'keyed' : 'own';
    const stream = (): Promise<StreamFacts> => {
      const found = this.#streams.get(kind) ?? observer.stream();
      this.#streams.set(kind, found);
      return found;
    };
    const remembered = this.#remembered.get(group)?.reads ?? new RememberedReads();
    this.#remembered.set(group, { reads: remembered, stream: () => observer.stream() });
    return {
      ...observer,
      stream,
      ...(!isKeyed && {
        ends: async () => this.#endsOf(observer, await stream()),
        waiting: async (partition, after) => remembered.waiting(observer, await stream(), partition, after),
      }),
      storedTime: (sequence) => remembered.storedTime(observer, sequence),
    };
  }

  /** Reads the ends again only if messages were added or removed. */
  #endsOf(observer: GroupObserver, facts: StreamFacts): Promise<EndFacts[]> {
    const stream = `${facts.createdAtMs} ${facts.lastSequence} ${facts.messages}`;
    if (this.#ends?.stream === stream) return this.#ends.read;
    const read = observer.ends();
    this.#ends = { stream, read };
    read.catch(() => {
      this.#ends = undefined;
    });
    return read;
  }

  /** Must be called after the status of a group was read. The counts are reused if no message arrived during that read. */
  async settle(group: string): Promise<void> {
    const known = this.#remembered.get(group);
    await known?.reads.settle(known.stream);
  }
}
