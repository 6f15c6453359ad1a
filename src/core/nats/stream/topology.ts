import type { JetStreamManager, NatsConnection, StreamInfo } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import { type GroupSubjects, layoutSubjects } from '../../protocol/layout.js';
import type { LayoutRecord } from '../../protocol/layout-records.js';
import { type MessageKey, parseMessageKey } from '../../protocol/message-key.js';
import { literalStart } from '../../protocol/subject.js';
import { ALL_USES, type Concern, refuse, type StreamUse } from '../client/concern.js';
import type { NatsHandles } from '../client/handles.js';
import { openManager } from '../client/manager.js';
import { hasDefaultConsumers } from '../client/server-version.js';
import { bucketStream, NatsBucket } from '../kv/bucket.js';
import { bucketConcerns } from '../kv/bucket-concerns.js';
import type { BucketCopy } from '../kv/bucket-copy.js';
import { listGroups } from '../kv/groups.js';
import { agree, type Found } from './agreement.js';
import { findStream } from './creation.js';
import { openKeyedGroup } from './keyed-group.js';
import { provide } from './provide.js';
import type { StreamLimits } from './stored.js';
import { streamConcerns } from './stream-concerns.js';
import { readLayout, storesTokens, tokensWildcard } from './stream-layout.js';

/** What the parts of a command share: the agreed layout and the handles to reach it. */
export interface Topology extends NatsHandles {
  bucket: NatsBucket;
  layout: LayoutRecord;
  stream: string;
  /** The subjects of the group's messages. */
  reads: GroupSubjects;
  /** Tokens may follow the partition in the subjects of the layout. */
  hasTokens: boolean;
  /** What the subject of dead letters begins with. */
  deadPrefix: string;
  /** Present for a keyed group: which subjects it handles, and where their keys are, if this program can find them. */
  keyed?:
    | { text: string; filter: string; subjects: readonly string[]; key: MessageKey | undefined }
    | undefined;
  /** How long the stream remembers message ids, milliseconds. */
  duplicateWindowMs: number;
  /** Settings of the stream and the bucket that lose messages, or may lose them. */
  concerns: readonly Concern[];
}

const NANOS_PER_MS = 1_000_000;
/** Groups that a message names at most. */
const NAMED = 8;

/** Options of {@link openTopology}. */
export interface OpenOptions {
  create: boolean;
  /** The uses: settings that lose messages in these uses are refused. Default: none, to look only. */
  uses?: readonly StreamUse[];
  /** Throws if the caller cannot work with this layout, before anything is created. */
  accept?: ((layout: LayoutRecord) => void) | undefined;
  limits?: StreamLimits;
}

/** Names of groups as text, at most so many of them. */
export function nameSome(groups: readonly string[]): string {
  const more = groups.length > NAMED ? ` and ${groups.length - NAMED} more` : '';
  return `${groups.slice(0, NAMED).join(', ')}${more}`;
}

/** What is missing of the stream and its bucket, and what creates it; undefined: both exist. */
export function missingStore(
  { stream, bucket }: Config,
  found: Pick<Found, 'stream' | 'bucket'>,
): string | undefined {
  if (!found.stream && found.bucket)
    return `There is no stream ${stream}, but its bucket ${bucket} is there. "natspoc stream delete" removes the bucket; check --stream.`;
  if (!found.stream)
    return `There is no stream ${stream} yet. "natspoc publish" and "natspoc consume" create it; check --stream.`;
  if (!found.bucket)
    return `Stream ${stream} has no bucket ${bucket}: it was deleted, or never made. "natspoc stream create" makes it; check --bucket.`;
  return undefined;
}

/** What is missing, and what creates it; undefined: nothing is missing. */
async function missingPart(handles: NatsHandles, config: Config, found: Found): Promise<string | undefined> {
  const { stream, bucket, group, option } = config;
  const missing = missingStore(config, found);
  if (missing !== undefined) return missing;
  if (found.stored.layout) return undefined;
  const groups = found.stream ? await listGroups(handles, bucket) : [];
  const named = nameSome(groups);
  if (groups.length > 0)
    return `Stream ${stream} is read by groups with a key, and ${group} is none of them: choose one with ${option('group')}: ${named}.`;
  return `Bucket ${bucket} has no layout yet. "natspoc publish" and "natspoc consume" write it; check --bucket.`;
}

async function look(manager: JetStreamManager, bucket: NatsBucket, config: Config): Promise<Found> {
  const stream = await findStream(manager, config.stream);
  const found = await findStream(manager, bucketStream(config.bucket));
  const stored = found ? await readLayout(bucket, config.bucket) : { layout: undefined, revision: 0 };
  return { stream, bucket: found, stored };
}

/** Settings of existing streams and buckets that lose messages, or may lose them. */
function concernsOf(
  connection: NatsConnection,
  config: Config,
  layout: LayoutRecord,
  { stream, bucket }: Pick<Found, 'stream' | 'bucket'>,
): Concern[] {
  const { partitions, prefix } = layout;
  return [
    ...(stream
      ? streamConcerns(stream.config, {
          wildcard: layoutSubjects(prefix).all,
          tokens: tokensWildcard(prefix),
          partitions,
          hasDefaultConsumers: hasDefaultConsumers(connection),
          another: `choose another stream with ${config.place('stream')}`,
        })
      : []),
    ...(bucket
      ? bucketConcerns(bucket.config, {
          bucket: config.bucket,
          partitions,
          replicas: stream?.config.num_replicas,
        })
      : []),
  ];
}

/**
 * Creates a stream with its bucket and layout, or the missing ones of them.
 *
 * @returns `hadStream`: the stream existed, and the limits were used for the bucket only.
 * @throws NatspocError `failed` if everything exists, and what {@link openTopology} throws.
 */
export async function createTopology(
  connection: NatsConnection,
  config: Config,
  limits: StreamLimits,
): Promise<Topology & { hadStream: boolean }> {
  let hadStream = false;
  const check = (found: Found): void => {
    hadStream = found.stream !== undefined;
    if (!hadStream || !found.stored.layout) return;
    const message = `There is a stream ${config.stream} already; "natspoc stream" shows it. Choose another name with --stream.`;
    throw new NatspocError('failed', message);
  };
  const topology = await open(connection, config, { create: true, uses: ALL_USES, limits }, check);
  return { ...topology, hadStream };
}

/**
 * Opens stream, bucket and layout, and creates what is missing if `create` is set. A partition count or prefix that was
 * not set is taken from the layout; one that was set must agree with it, as must the layouts of all buckets of one
 * stream. A refused creation leaves nothing behind.
 *
 * @throws NatspocError `stream-missing`, `layout-mismatch`, `jetstream-disabled`, `not-permitted`, `unreachable`;
 *   `failed` if the server does not create what is missing.
 */
export function openTopology(
  connection: NatsConnection,
  config: Config,
  options: OpenOptions,
): Promise<Topology> {
  return open(connection, config, options, () => {});
}

/**
 * The names of all groups of an existing stream, keyed or not, sorted.
 *
 * @throws NatspocError `stream-missing` if there is no stream or no bucket, and as {@link openTopology}.
 */
export async function findGroups(connection: NatsConnection, config: Config): Promise<string[]> {
  const { handles } = await openBucket(connection, config);
  return listGroups(handles, config.bucket);
}

/**
 * Brings a copy of the bucket of an existing stream up to date.
 *
 * @throws NatspocError as {@link findGroups}.
 */
export async function updateCopy(
  connection: NatsConnection,
  config: Config,
  copy: BucketCopy,
): Promise<void> {
  const { handles, info } = await openBucket(connection, config);
  await copy.update(handles, config.bucket, info, config.timeoutMs);
}

/** @throws NatspocError `stream-missing` if there is no stream or no bucket. */
async function openBucket(
  connection: NatsConnection,
  config: Config,
): Promise<{ handles: NatsHandles; info: StreamInfo }> {
  const manager = await openManager(connection, config);
  const stream = await findStream(manager, config.stream);
  const bucket = await findStream(manager, bucketStream(config.bucket));
  const missing = missingStore(config, { stream, bucket });
  if (!bucket || missing !== undefined) throw new NatspocError('stream-missing', missing ?? '');
  return { handles: { connection, manager, inboxPrefix: config.inboxPrefix }, info: bucket };
}

/** A bucket without its stream. */
export interface OrphanBucket {
  /** The groups in it. */
  groups: string[];
  remove(): Promise<void>;
}

/**
 * The bucket of these settings if its stream does not exist; undefined: the stream exists, or neither does.
 *
 * @throws NatspocError as {@link openTopology}.
 */
export async function findOrphanBucket(
  connection: NatsConnection,
  config: Config,
): Promise<OrphanBucket | undefined> {
  const manager = await openManager(connection, config);
  const name = bucketStream(config.bucket);
  if (await findStream(manager, config.stream)) return undefined;
  const found = await findStream(manager, name);
  if (!found) return undefined;
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const { layout } = await readLayout(
    new NatsBucket(handles, config.bucket, config.timeoutMs),
    config.bucket,
  );
  if (!layout && found.state.messages > 0) {
    throw new NatspocError(
      'layout-mismatch',
      `There is no stream ${config.stream}, and bucket ${config.bucket} holds entries but no layout: it is not natspoc's.`,
    );
  }
  return {
    groups: await listGroups(handles, config.bucket),
    remove: async () => {
      await manager.streams.delete(name);
    },
  };
}

/**
 * Opens an existing group as an operator sees it: a keyed group with its own partitions, or a group over the layout of the
 * stream. Creates nothing.
 *
 * @param whole the stream counts, not the group: one over the stream's own layout that was resized is opened as before.
 * @throws NatspocError as {@link openTopology}.
 */
export async function openGroupTopology(
  connection: NatsConnection,
  config: Config,
  uses: readonly StreamUse[],
  whole = false,
): Promise<Topology> {
  const keyed = await openKeyedGroup(connection, config, { create: false });
  if (!keyed || (whole && keyed.layout.prefix !== undefined))
    return openTopology(connection, config, { create: false, uses });
  const { v, key, filter, partitions, hash } = keyed.layout;
  return {
    ...keyed,
    layout: { v, prefix: literalStart(filter), partitions, hash },
    keyed: { text: key, filter, subjects: keyed.subjects, key: parseMessageKey(key) },
    reads: { all: filter, of: () => [filter] },
    hasTokens: false,
    deadPrefix: keyed.layout.prefix ?? `natspoc.${config.stream}`,
    duplicateWindowMs: keyed.duplicateWindowMs,
  };
}

/** The domain of the servers that keep a stream, empty for none; undefined if the stream is unknown. */
const domainOf = (info: StreamInfo | undefined): string | undefined =>
  info && ('domain' in info && typeof info.domain === 'string' ? info.domain : '');

async function open(
  connection: NatsConnection,
  config: Config,
  { create, uses = [], accept, limits = {} }: OpenOptions,
  check: (found: Found) => void,
): Promise<Topology> {
  const manager = await openManager(connection, config);
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, Math.min(config.timeoutMs, config.ttlMs / 5));
  const found = await look(manager, bucket, config);
  // A new stream tells its domain only when it is looked up: until then any domain may confirm writes to the bucket.
  handles.domain = domainOf(found.stream ?? found.bucket);
  check(found);
  const missing = create ? undefined : await missingPart(handles, config, found);
  if (missing) throw new NatspocError('stream-missing', missing);
  const agreed = agree(config, found);
  accept?.(agreed.layout);
  refuse(concernsOf(connection, config, agreed.layout, found), uses);
  const { layout, ...all }: { layout: LayoutRecord; stream: StreamInfo; bucket: StreamInfo } = await provide(
    handles,
    bucket,
    { config, limits, found, agreed },
  );
  if (layout !== agreed.layout) accept?.(layout);
  const concerns = concernsOf(connection, config, layout, all);
  refuse(concerns, uses);
  const duplicateWindowMs = all.stream.config.duplicate_window / NANOS_PER_MS;
  handles.domain ??= domainOf(await findStream(manager, config.stream));
  const { prefix: deadPrefix } = layout;
  const hasTokens = storesTokens(all.stream.config, layout);
  const reads = layoutSubjects(layout.prefix, hasTokens);
  return {
    ...handles,
    bucket,
    layout,
    reads,
    hasTokens,
    deadPrefix,
    stream: config.stream,
    duplicateWindowMs,
    concerns,
  };
}
