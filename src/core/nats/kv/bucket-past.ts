import { DeliverPolicy } from 'nats';
import type { PastEntry } from '../../ports/facts.js';
import { type BucketEntry, decodeEntry } from '../../protocol/entries.js';
import type { ProofEntry } from '../../protocol/events.js';
import { keys } from '../../protocol/keys.js';
import type { NatsHandles } from '../client/handles.js';
import { type Fetched, type FetchOptions, fetchAll } from '../jetstream/fetch.js';
import { newestPart } from '../jetstream/newest-part.js';
import { bucketStream, bucketSubject, valueIn } from './bucket.js';

/** Maximum number of past entries that are read for a group. 256 partitions have fewer lease entries. */
const HISTORY_LIMIT = 10_000;

/** An entry of the bucket, and when it was stored, on this process's wall clock. */
export interface StoredEntry extends BucketEntry {
  atMs: number;
}

/** The newest entries of all keys that start with a prefix. */
export type Latest = (prefix: string) => readonly StoredEntry[];

/** Where to read the past of a group. */
export interface PastOptions {
  bucket: string;
  group: string;
  timeoutMs: number;
  /** The newest entries, if they have already been read for all groups together. */
  latest?: Latest | undefined;
}

/** Current and past entries of one group in the bucket; oldest first. */
export class BucketPast {
  readonly #handles: NatsHandles;
  readonly #bucket: string;
  readonly #group: string;
  readonly #timeoutMs: number;
  readonly #latest: Latest | undefined;

  constructor(handles: NatsHandles, { bucket, group, timeoutMs, latest }: PastOptions) {
    this.#handles = handles;
    this.#bucket = bucket;
    this.#group = group;
    this.#timeoutMs = timeoutMs;
    this.#latest = latest;
  }

  /**
   * Past sessions, leases and proofs of life. If there are more than {@link HISTORY_LIMIT}, only the newest entries are
   * returned.
   */
  async newest(): Promise<PastEntry[]> {
    const [group, proofs] = await Promise.all([
      this.#newest(`${keys.groupPrefix(this.#group)}>`, false),
      this.#newest(`${keys.proofPrefix(this.#group)}*`, true),
    ]);
    return byRevision([...this.#view(group), ...this.#proofs(proofs)]);
  }

  /** All stored revisions of one partition's lease, and of the proofs of life of its owners. */
  async ofLease(partition: number): Promise<PastEntry[]> {
    const start = { deliver_policy: DeliverPolicy.All };
    const leases = this.#view(this.#stored(await this.#fetch(keys.lease(this.#group, partition), { start })));
    const owners = leases.flatMap(({ entry }) =>
      entry.kind === 'lease' && entry.record !== 'unreadable' && entry.record?.owner
        ? [entry.record.owner]
        : [],
    );
    const signs = [...new Set(owners)].map(async (owner) =>
      this.#proofs(
        this.#stored(await this.#fetch(keys.proof(this.#group, owner), { start, headersOnly: true })),
      ),
    );
    return [...leases, ...(await Promise.all(signs)).flat()];
  }

  /** The newest entry of each session, lease and override. */
  async now(): Promise<PastEntry[]> {
    return this.#view(await this.latest(keys.groupPrefix(this.#group)));
  }

  async proofs(): Promise<PastEntry[]> {
    return this.#proofs(await this.latest(keys.proofPrefix(this.#group), true));
  }

  async latest(prefix: string, headersOnly = false): Promise<readonly StoredEntry[]> {
    return this.#latest?.(prefix) ?? this.#stored(await this.#fetch(`${prefix}>`, { ...LAST, headersOnly }));
  }

  async #newest(filter: string, headersOnly: boolean): Promise<StoredEntry[]> {
    const { messages } = await this.#fetch(filter, { start: { deliver_policy: DeliverPolicy.Last } }, 1);
    const newest = messages[0]?.sequence;
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
    return fetchEntries(this.#handles, this.#bucket, keyFilter, {
      ...options,
      limit,
      timeoutMs: this.#timeoutMs,
    });
  }

  #stored(fetched: Fetched): StoredEntry[] {
    return entriesIn(fetched, this.#bucket);
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

const fetchEntries = (
  handles: NatsHandles,
  bucket: string,
  keyFilter: string,
  options: Omit<FetchOptions, 'stream' | 'filter'>,
): Promise<Fetched> =>
  fetchAll(handles, { ...options, stream: bucketStream(bucket), filter: bucketSubject(bucket, keyFilter) });

const entriesIn = ({ messages, serverAheadMs }: Fetched, bucket: string): StoredEntry[] =>
  messages.map(({ subject, headers, data, sequence, atMs }) => ({
    key: subject.slice(bucketSubject(bucket, '').length),
    revision: sequence,
    value: valueIn(headers, data),
    atMs: atMs - serverAheadMs,
  }));

/**
 * The entries of a bucket from a revision on, oldest first, including deletion markers.
 *
 * @param from a revision; undefined for the newest entry of each key.
 */
export async function entriesFrom(
  handles: NatsHandles,
  bucket: string,
  from: number | undefined,
  timeoutMs: number,
): Promise<StoredEntry[]> {
  const start =
    from === undefined ? LAST.start : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from };
  const options = { start, limit: Number.POSITIVE_INFINITY, timeoutMs };
  return entriesIn(await fetchEntries(handles, bucket, '>', options), bucket);
}

const byRevision = (entries: PastEntry[]): PastEntry[] =>
  entries.sort((a, b) => a.entry.revision - b.entry.revision);
