import { DeliverPolicy } from 'nats';
import type { PastEntry } from '../../ports/facts.js';
import { type BucketEntry, decodeEntry } from '../../protocol/entries.js';
import type { ProofEntry } from '../../protocol/events.js';
import { keys } from '../../protocol/keys.js';
import type { NatsHandles } from '../client/handles.js';
import { type Fetched, type FetchOptions, fetchAll } from '../jetstream/fetch.js';
import { newestPart } from '../jetstream/newest-part.js';
import { bucketStream, bucketSubject, valueIn } from './bucket.js';

/** Limit of entries read of a whole group's past: more than 256 partitions keep of their leases. */
const HISTORY_LIMIT = 10_000;

/** An entry of the bucket, and when it was stored, by our wall clock. */
export interface StoredEntry extends BucketEntry {
  atMs: number;
}

/** Current and past entries of one group in the bucket; oldest first. */
export class BucketPast {
  readonly #handles: NatsHandles;
  readonly #bucket: string;
  readonly #group: string;
  readonly #timeoutMs: number;

  constructor(handles: NatsHandles, options: { bucket: string; group: string; timeoutMs: number }) {
    this.#handles = handles;
    this.#bucket = options.bucket;
    this.#group = options.group;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Past sessions, leases and proofs of life; only the newest of very many. */
  async newest(): Promise<PastEntry[]> {
    const [group, proofs] = await Promise.all([
      this.#newest(`${keys.groupPrefix(this.#group)}>`, false),
      this.#newest(`${keys.proofPrefix(this.#group)}*`, true),
    ]);
    return byRevision([...this.#view(group), ...this.#proofs(proofs)]);
  }

  /** Everything kept of one partition's lease, and of the proofs of life of its owners. */
  async ofLease(partition: number): Promise<PastEntry[]> {
    const start = { deliver_policy: DeliverPolicy.All };
    const leases = this.#view(await this.fetch(keys.lease(this.#group, partition), { start }));
    const owners = leases.flatMap(({ entry }) =>
      entry.kind === 'lease' && entry.record !== 'unreadable' && entry.record?.owner
        ? [entry.record.owner]
        : [],
    );
    const signs = [...new Set(owners)].map(async (owner) =>
      this.#proofs(await this.fetch(keys.proof(this.#group, owner), { start, headersOnly: true })),
    );
    return [...leases, ...(await Promise.all(signs)).flat()];
  }

  /** The newest entry of each session, lease and override. */
  async now(): Promise<PastEntry[]> {
    return this.#view(await this.fetch(`${keys.groupPrefix(this.#group)}>`, LAST));
  }

  /** The newest entry of each proof of life. */
  async proofs(): Promise<PastEntry[]> {
    const filter = `${keys.proofPrefix(this.#group)}*`;
    return this.#proofs(await this.fetch(filter, { ...LAST, headersOnly: true }));
  }

  /** All entries whose keys match. */
  async fetch(
    keyFilter: string,
    options: Pick<FetchOptions, 'start' | 'headersOnly'>,
  ): Promise<StoredEntry[]> {
    return this.#stored(await this.#fetch(keyFilter, options));
  }

  async #newest(filter: string, headersOnly: boolean): Promise<StoredEntry[]> {
    const { messages } = await this.#fetch(filter, { start: { deliver_policy: DeliverPolicy.Last } }, 1);
    const newest = messages[0]?.delivery.streamSequence;
    if (newest === undefined) return [];
    const from = (sequence: number): FetchOptions['start'] => ({
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: sequence,
    });
    const count = async (sequence: number): Promise<number> =>
      (await this.#fetch(filter, { start: from(sequence) }, 0)).available;
    const first = await newestPart(count, newest, HISTORY_LIMIT);
    return this.#stored(await this.#fetch(filter, { start: from(first), headersOnly }));
  }

  #fetch(
    keyFilter: string,
    options: Pick<FetchOptions, 'start' | 'headersOnly'>,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<Fetched> {
    return fetchAll(this.#handles, {
      ...options,
      stream: bucketStream(this.#bucket),
      filter: bucketSubject(this.#bucket, keyFilter),
      limit,
      timeoutMs: this.#timeoutMs,
    });
  }

  #stored({ messages, serverAheadMs }: Fetched): StoredEntry[] {
    return messages.map(({ message, delivery }) => ({
      key: message.subject.slice(bucketSubject(this.#bucket, '').length),
      revision: delivery.streamSequence,
      value: valueIn(message.headers, message.data),
      atMs: delivery.timestampMs - serverAheadMs,
    }));
  }

  #view(stored: readonly StoredEntry[]): PastEntry[] {
    return stored.flatMap(({ atMs, ...bucketEntry }) => {
      const entry = decodeEntry(this.#group, bucketEntry);
      return entry ? [{ atMs, entry }] : [];
    });
  }

  #proofs(stored: readonly StoredEntry[]): PastEntry[] {
    const { length } = keys.proofPrefix(this.#group);
    return stored.map(({ atMs, key, revision, value }) => {
      const entry: ProofEntry = { kind: 'proof', id: key.slice(length), revision, ended: value === null };
      return { atMs, entry };
    });
  }
}

const LAST = { start: { deliver_policy: DeliverPolicy.LastPerSubject } };

const byRevision = (entries: PastEntry[]): PastEntry[] =>
  entries.sort((a, b) => a.entry.revision - b.entry.revision);
