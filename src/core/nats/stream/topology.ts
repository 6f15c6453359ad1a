import type { JetStreamManager, NatsConnection, StreamConfig, StreamInfo } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import { type GroupSubjects, layoutSubjects } from '../../protocol/layout.js';
import type { LayoutRecord } from '../../protocol/layout-records.js';
import type { MessageKey } from '../../protocol/message-key.js';
import { startPatienceMs } from '../client/ask-again.js';
import { ALL_USES, type Concern, refuse, type StreamUse } from '../client/concern.js';
import { answerMsOf, type NatsHandles } from '../client/handles.js';
import { openManager } from '../client/manager.js';
import { hasDefaultConsumers } from '../client/server-version.js';
import { bucketStream, NatsBucket } from '../kv/bucket.js';
import { bucketConcerns } from '../kv/bucket-concerns.js';
import { agree, type Found } from './agreement.js';
import { findStream } from './creation.js';
import { missingPart } from './missing-store.js';
import { provide } from './provide.js';
import type { StreamLimits } from './stored.js';
import { streamConcerns } from './stream-concerns.js';
import { readLayout, storesTokens, tokensWildcard } from './stream-layout.js';

/** An opened stream with its bucket: the agreed layout, and the client's objects. */
export interface Topology extends NatsHandles {
  bucket: NatsBucket;
  layout: LayoutRecord;
  stream: string;
  reads: GroupSubjects;
  /** True if tokens may follow the partition in the subjects of the layout. */
  hasTokens: boolean;
  deadPrefix: string;
  /** Present for a keyed group. `key` is undefined if this program cannot compute the key. */
  keyed?:
    | { text: string; filter: string; subjects: readonly string[]; key: MessageKey | undefined }
    | undefined;
  /** How long the stream remembers message ids, in milliseconds. */
  duplicateWindowMs: number;
  /** Settings of the stream and the bucket that can lose messages. */
  concerns: readonly Concern[];
  /** Finds the same settings in a later configuration of the stream. */
  judge: (stream: StreamConfig) => Concern[];
}

const NANOS_PER_MS = 1_000_000;
/** Options of {@link openTopology}. */
export interface OpenOptions {
  create: boolean;
  /** How the stream will be used. If it would lose messages in this use, it is refused. Default: it is only read. */
  uses?: readonly StreamUse[];
  /** Called before anything is created. Throws if the caller cannot work with this layout. */
  accept?: ((layout: LayoutRecord) => void) | undefined;
  limits?: StreamLimits;
  /** Advice for a stream without partitions, as a sentence without the final period. Default for members: give a key. */
  asItIs?: string;
}

async function look(
  manager: JetStreamManager,
  bucket: NatsBucket,
  config: Config,
  patienceMs: number,
): Promise<Found> {
  const stream = await findStream(manager, config.stream, patienceMs);
  const found = await findStream(manager, bucketStream(config.bucket), patienceMs);
  const stored = found
    ? await readLayout(bucket, config.bucket, patienceMs)
    : { layout: undefined, revision: 0 };
  return { stream, bucket: found, stored };
}

/** Settings of an existing stream that can lose messages. */
function streamConcernsOf(
  connection: NatsConnection,
  config: Config,
  { partitions, prefix }: LayoutRecord,
  stream: StreamConfig,
): Concern[] {
  return streamConcerns(stream, {
    wildcard: layoutSubjects(prefix).all,
    tokens: tokensWildcard(prefix),
    partitions,
    hasDefaultConsumers: hasDefaultConsumers(connection),
    another: `choose another stream with ${config.place('stream')}`,
  });
}

/** Settings of an existing stream and bucket that can lose messages. */
function concernsOf(
  connection: NatsConnection,
  config: Config,
  layout: LayoutRecord,
  { stream, bucket }: Pick<Found, 'stream' | 'bucket'>,
): Concern[] {
  const { partitions } = layout;
  const replicas = stream?.config.num_replicas;
  return [
    ...(stream ? streamConcernsOf(connection, config, layout, stream.config) : []),
    ...(bucket ? bucketConcerns(bucket.config, { bucket: config.bucket, partitions, replicas }) : []),
  ];
}

/**
 * Creates a stream, its bucket and its layout. Existing parts are kept.
 *
 * @returns `hadStream` is true if the stream existed before. In that case, the limits apply only to the bucket.
 * @throws NatspocError `failed` if everything exists, and the errors of {@link openTopology}.
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
 * Opens stream, bucket and layout, and creates the missing parts if `create` is set. If the partition count or the
 * prefix is not set, it comes from the layout. If it is set, it must agree with the layout. All buckets of the stream
 * must have the same layout. A refused creation leaves nothing behind.
 *
 * @throws NatspocError `stream-missing`, `layout-mismatch`, `jetstream-disabled`, `not-permitted`, `unreachable`;
 *   `failed` if the server refuses a creation.
 */
export function openTopology(
  connection: NatsConnection,
  config: Config,
  options: OpenOptions,
): Promise<Topology> {
  return open(connection, config, options, () => {});
}

/** How a member can read a stream that has no partitions. */
const byKey = ({ option }: Config, uses: readonly StreamUse[]): string | undefined =>
  uses.includes('handle') && !uses.includes('publish')
    ? `For a group over the stream as it is, give a key with ${option('key')}, such as subject:2`
    : undefined;

/** The domain of the servers that keep a stream, empty for none; undefined if the stream is unknown. */
const domainOf = (info: StreamInfo | undefined): string | undefined =>
  info && ('domain' in info && typeof info.domain === 'string' ? info.domain : '');

async function open(
  connection: NatsConnection,
  config: Config,
  { create, uses = [], accept, limits = {}, asItIs = byKey(config, uses) }: OpenOptions,
  check: (found: Found) => void,
): Promise<Topology> {
  const manager = await openManager(connection, config);
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, answerMsOf(config));
  const patienceMs = create ? startPatienceMs(config) : config.timeoutMs;
  const found = await look(manager, bucket, config, patienceMs);
  // The domain of a new stream is not known yet. Until then, any domain may confirm writes to the bucket.
  handles.domain = domainOf(found.stream ?? found.bucket);
  check(found);
  const missing = create ? undefined : await missingPart(handles, config, found);
  if (missing) throw missing;
  const agreed = agree(config, found, asItIs);
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
  handles.domain ??= domainOf(await findStream(manager, config.stream, patienceMs));
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
    judge: (stream) => streamConcernsOf(connection, config, layout, stream),
  };
}
