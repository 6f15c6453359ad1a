import type { PositionFacts, ReaderFacts } from '../../ports/facts.js';
import type { GroupObserver, PlacedMessage } from '../../ports/observer.js';
import type { BucketEntry } from '../../protocol/entries.js';
import { keys, partitionIn } from '../../protocol/keys.js';
import { decodeGroupLayout } from '../../protocol/layout-records.js';
import { decodeJob, decodePosition, decodeStart } from '../../protocol/position-records.js';
import { readerNamePrefix } from '../../protocol/reader-name.js';
import { madeOn, unreadableAs } from '../../protocol/record-format.js';
import { toNatspocError } from '../client/outcome.js';
import { readStream } from '../jetstream/read-stream.js';
import { placeOf } from '../jetstream/stored-message.js';
import { storedAt } from '../jetstream/stream-identity.js';
import { BucketPast, type PastOptions } from '../kv/bucket-past.js';
import { collectStats } from '../service/member-stats.js';
import { deadLetterFacts } from './dead-letter-facts.js';
import { LaterMessages } from './later-messages.js';
import { newestMessages } from './newest-messages.js';
import { partitionEnds } from './partition-ends.js';
import { streamFacts } from './stream-facts.js';
import type { Topology } from './topology.js';
import { MOST_SUBJECTS, UncoveredSearch } from './uncovered.js';

/** Observes a stream and a group on a real server, and changes nothing. */
export function natsGroupObserver(topology: Topology, options: PastOptions): GroupObserver {
  const { connection, manager, stream, layout, reads, hasTokens, inboxPrefix, keyed, deadPrefix } = topology;
  const { group, timeoutMs } = options;
  /** The current number of partitions. A resize of a keyed group changes it. */
  let { partitions } = layout;
  const learn = (entries: readonly BucketEntry[]): void => {
    for (const { key, value } of entries) {
      const known = key === keys.groupLayout(group) && value ? decodeGroupLayout(value) : undefined;
      if (known) partitions = known.partitions;
    }
  };
  const past = new BucketPast(topology, options);
  const later = new LaterMessages(topology, timeoutMs);
  /** True if the stream has few enough subjects to list them for each observation. */
  const isShort = async (): Promise<boolean> =>
    ((await manager.streams.info(stream)).state.num_subjects ?? 0) <= MOST_SUBJECTS;
  const uncoveredSearch = new UncoveredSearch(topology, timeoutMs);
  const by = (count: number) => ({ layout: { ...layout, partitions: count }, keyed });
  async function* placed(
    from: number,
    upTo: number,
    count: number,
    signal?: AbortSignal,
  ): AsyncGenerator<PlacedMessage> {
    if (from >= upTo) return;
    const source = { stream, filter: reads.all, startSequence: from + 1, follow: false, signal };
    const headersOnly = !keyed?.text.startsWith('json:');
    for await (const message of readStream(topology, { ...source, headersOnly })) {
      const { sequence } = message;
      if (sequence <= upTo) yield { sequence, partition: placeOf(by(count), message).partition };
      if (sequence >= upTo) return;
    }
  }
  const observed: GroupObserver = {
    ...(keyed && {
      keyed: {
        key: keyed.text,
        isFound: keyed.key !== undefined,
        placed,
      },
    }),
    watch: (sink) =>
      topology.bucket.watch(keys.groupPrefix(group), {
        snapshot: (entries) => {
          learn(entries);
          sink.snapshot(entries);
        },
        changes: (entries) => {
          learn(entries);
          sink.changes(entries);
        },
        failed: (error) => sink.failed(error),
      }),
    history: () => past.newest(),
    leaseHistory: (partition) => past.ofLease(partition),
    async entries() {
      const found = await past.now();
      for (const { entry } of found)
        if (entry.kind === 'layout' && entry.record && entry.record !== 'unreadable')
          partitions = entry.record.partitions;
      return found;
    },
    proofs: () => past.proofs(),

    async job() {
      const found = await topology.bucket.read(keys.job(group));
      if (found.kind === 'failed') throw found.error;
      const entry = found.kind === 'found' ? found.entry : undefined;
      const job = entry?.value ? decodeJob(entry.value) : undefined;
      return entry && job && { revision: entry.revision, atMs: Date.parse(job.at) };
    },

    async start() {
      const found = await topology.bucket.read(keys.start(group));
      if (found.kind === 'failed') throw found.error;
      const value = found.kind === 'found' ? found.entry.value : null;
      return (value && decodeStart(value)?.seq) ?? null;
    },

    async positions() {
      const prefix = keys.positionPrefix(group);
      const stored = await past.latest(prefix);
      return stored.flatMap(({ key, value, atMs }): PositionFacts[] => {
        const partition = partitionIn(key.slice(prefix.length));
        if (value === null || partition === undefined) return [];
        const record = decodePosition(value);
        if (!record) return [{ partition, sequence: 0, epoch: 0, atMs, unreadable: unreadableAs(value) }];
        const { seq: sequence, epoch, trimmed, layout, sought } = record;
        return [
          {
            ...{ partition, sequence, epoch, atMs, ...madeOn(record) },
            ...(trimmed !== undefined && { trimmed }),
            ...(layout !== undefined && { layout }),
            ...(sought && { sought }),
          },
        ];
      });
    },

    async stream() {
      try {
        const isListed = !keyed && (!hasTokens || (await isShort()));
        const query = isListed ? { subjects_filter: reads.all } : undefined;
        const facts = streamFacts(await manager.streams.info(stream, query), connection, layout);
        const uncovered = await uncoveredSearch.of(facts);
        return uncovered ? { ...facts, uncovered } : facts;
      } catch (error) {
        throw toNatspocError(error, `read the state of stream ${stream}`);
      }
    },

    deadLetters: (known) => deadLetterFacts(topology, { stream, prefix: deadPrefix }, known),

    async readers(epochs) {
      const wanted = new Map(
        [...epochs].map(([partition, epoch]) => [readerNamePrefix(group, partition, epoch), partition]),
      );
      const facts: ReaderFacts[] = [];
      if (wanted.size === 0) return facts;
      try {
        for await (const info of manager.consumers.list(stream)) {
          // A server lists null for a consumer that was deleted during the request.
          const partition = info ? wanted.get(info.name.slice(0, info.name.lastIndexOf('-') + 1)) : undefined;
          if (partition === undefined) continue;
          const { delivered, num_pending: pending } = info;
          const { stream_seq: deliveredSequence, consumer_seq: deliveredCount } = delivered;
          const epoch = epochs.get(partition) ?? 0;
          facts.push({ partition, epoch, deliveredSequence, deliveredCount, pending });
        }
      } catch (error) {
        throw toNatspocError(error, `list the readers of stream ${stream}`);
      }
      return facts;
    },

    storedTime: (sequence) => storedAt(topology, stream, sequence),

    async ends() {
      if (!keyed) return partitionEnds(topology, timeoutMs);
      // The partition of the last message is unknown. So every partition gets its sequence.
      const { lastSequence: sequence, lastAtMs: atMs } = await observed.stream();
      if (sequence === 0 || atMs === null) return [];
      return Array.from({ length: partitions }, (_, partition) => ({ partition, sequence, atMs }));
    },

    async waiting(partition, sequence) {
      const { available, isEstimate, storedAtMs } = await later.count(partition, sequence);
      // The server cannot count by key, so each partition gets an equal share of the group's count.
      const count = keyed ? Math.ceil(available / partitions) : available;
      const more = keyed ? { ofGroup: available } : { storedAtMs };
      return { partition, after: sequence, count, ...(isEstimate && { isEstimate }), ...more };
    },

    async sequences(partition, sequence, limit) {
      return (await later.first(partition, sequence, limit)).map((each) => each.sequence);
    },

    async storedAt(partition, sequence) {
      const [first] = await later.first(partition, sequence, 1);
      return first?.atMs ?? null;
    },

    messages: (facts, after, limit) =>
      newestMessages(topology, () => by(partitions), facts, { after, limit, timeoutMs }),

    stats: (sessions, waitMs) => collectStats(connection, { stream, group, inboxPrefix }, sessions, waitMs),
  };
  return observed;
}
