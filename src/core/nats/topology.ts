import {
  DiscardPolicy,
  type JetStreamManager,
  type NatsConnection,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from 'nats';
import type { Config } from '../config.js';
import { NatspocError } from '../errors.js';
import { decodeLayout, encodeRecord, keys, type LayoutRecord, RECORD_VERSION } from '../group/records.js';
import { bucketStream, bucketSubject, NatsBucket } from './bucket.js';
import type { NatsHandles } from './handles.js';
import { API_ERRORS, apiErrorCode, toNatspocError } from './outcome.js';

/** How long the stream remembers message ids, so that a retried publish is stored once. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Revisions kept of each key: enough for the story of a partition's last owners. */
const BUCKET_HISTORY = 16;

/** What the parts of a running command share: the agreed layout and the handles to reach it. */
export interface Topology extends NatsHandles {
  bucket: NatsBucket;
  layout: LayoutRecord;
  stream: string;
}

/** How a stream that has to be created is bounded; what is left out is without limit, or the default. */
export interface StreamLimits {
  storage?: 'file' | 'memory' | undefined;
  maxMessages?: number | undefined;
  maxBytes?: number | undefined;
  maxAgeMs?: number | undefined;
  /** How long message ids are remembered, so that a retried publish is stored once. */
  duplicateWindowMs?: number | undefined;
  /** What gives way when it is full. */
  discard?: 'old' | 'new' | undefined;
}

/** What {@link openTopology} may do. */
export interface OpenOptions {
  create: boolean;
  limits?: StreamLimits;
}

const nanos = (ms: number): number => ms * 1_000_000;

const streamConfig = (
  config: Config,
  limits: StreamLimits = {},
): Partial<StreamConfig> & { name: string } => ({
  name: config.stream,
  subjects: [`${config.prefix}.p.*`],
  retention: RetentionPolicy.Limits,
  storage: limits.storage === 'memory' ? StorageType.Memory : StorageType.File,
  num_replicas: config.replicas,
  // The server refuses a window that is longer than messages live.
  duplicate_window: nanos(
    limits.duplicateWindowMs ?? Math.min(DUPLICATE_WINDOW_MS, limits.maxAgeMs ?? DUPLICATE_WINDOW_MS),
  ),
  discard: limits.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
  ...(limits.maxMessages !== undefined && { max_msgs: limits.maxMessages }),
  ...(limits.maxBytes !== undefined && { max_bytes: limits.maxBytes }),
  ...(limits.maxAgeMs !== undefined && { max_age: nanos(limits.maxAgeMs) }),
});

const bucketConfig = (config: Config): Partial<StreamConfig> & { name: string } => ({
  name: bucketStream(config.bucket),
  subjects: [bucketSubject(config.bucket, '>')],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  num_replicas: config.replicas,
  max_msgs_per_subject: BUCKET_HISTORY,
  discard: DiscardPolicy.New,
  deny_delete: true,
  allow_rollup_hdrs: true,
  // Positions have to be read through the leader; a direct get may answer from a replica that lags.
  allow_direct: false,
});

/** The stream's configuration, created when missing and `create` allows it. */
async function ensureStream(
  manager: JetStreamManager,
  wanted: Partial<StreamConfig> & { name: string },
  create: boolean,
): Promise<StreamConfig> {
  try {
    return (await manager.streams.info(wanted.name)).config;
  } catch (error) {
    if (apiErrorCode(error) !== API_ERRORS.streamNotFound)
      throw toNatspocError(error, `look up ${wanted.name}`);
    if (!create) {
      throw new NatspocError(
        'stream-missing',
        `There is no stream ${wanted.name} yet. "natspoc publish" and "natspoc consume" create it; check --stream.`,
        { cause: error },
      );
    }
  }
  try {
    return (await manager.streams.add(wanted)).config;
  } catch (error) {
    // Somebody else was faster, with other settings: theirs are checked below like any that we find.
    if (apiErrorCode(error) === API_ERRORS.streamNameInUse) return ensureStream(manager, wanted, false);
    throw toNatspocError(error, `create ${wanted.name}`);
  }
}

function checkBucket(name: string, found: StreamConfig): void {
  if (found.max_age && found.max_age > 0) {
    throw new NatspocError(
      'layout-mismatch',
      `Bucket ${name} has a TTL: leases and positions would vanish. Choose another with --bucket, or remove its TTL.`,
    );
  }
}

async function ensureLayout(bucket: NatsBucket, config: Config, create: boolean): Promise<LayoutRecord> {
  const wanted: LayoutRecord = {
    v: RECORD_VERSION,
    prefix: config.prefix,
    partitions: config.partitions,
    hash: 'fnv1a32',
  };
  const found = await bucket.read(keys.layout);
  if (found.kind === 'found' && found.entry.value) {
    const layout = decodeLayout(found.entry.value);
    if (layout) return layout;
    const message = `The layout in bucket ${config.bucket} cannot be read: it was written by a newer version, or by something else.`;
    throw new NatspocError('layout-mismatch', message);
  }
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') {
    throw new NatspocError('unreachable', 'Could not read the layout: the server did not answer in time.');
  }
  if (!create) {
    throw new NatspocError(
      'stream-missing',
      `Bucket ${config.bucket} holds no layout yet. Run "natspoc consume" once.`,
    );
  }
  const written = await bucket.write(
    keys.layout,
    encodeRecord(wanted),
    found.kind === 'found' ? found.entry.revision : 0,
  );
  if (written.kind === 'ok') return wanted;
  if (written.kind === 'failed') throw written.error;
  return ensureLayout(bucket, config, written.kind === 'conflict');
}

/** @throws NatspocError `layout-mismatch` where a setting that somebody gave differs from what the stream has. */
function checkLayout(layout: LayoutRecord, config: Config, subjects: readonly string[]): void {
  if (config.given.has('partitions') && config.partitions !== layout.partitions) {
    throw new NatspocError(
      'layout-mismatch',
      `Stream ${config.stream} has ${layout.partitions} partitions, but PARTITIONS is ${config.partitions}. ` +
        'All publishers and consumers of a stream use the same number; unset it to use what the stream has.',
    );
  }
  if (config.given.has('prefix') && config.prefix !== layout.prefix) {
    throw new NatspocError(
      'layout-mismatch',
      `Stream ${config.stream} has the subject prefix ${layout.prefix}, but SUBJECT_PREFIX is ${config.prefix}. ` +
        'Unset it to use what the stream has.',
    );
  }
  const needed = `${layout.prefix}.p.*`;
  if (!subjects.some((subject) => covers(subject, needed))) {
    throw new NatspocError(
      'layout-mismatch',
      `Stream ${config.stream} listens to ${subjects.join(', ') || 'nothing'}, which does not cover ${needed}. Choose another with --stream.`,
    );
  }
}

/** True if every subject that `needed` matches is also matched by `pattern`. */
function covers(pattern: string, needed: string): boolean {
  const [have, want] = [pattern.split('.'), needed.split('.')];
  return (
    have.every((token, i) => token === '>' || (i < want.length && (token === '*' || token === want[i]))) &&
    (have.at(-1) === '>' ? have.length <= want.length : have.length === want.length)
  );
}

async function openManager(connection: NatsConnection, config: Config): Promise<JetStreamManager> {
  try {
    return await connection.jetstreamManager({
      checkAPI: false,
      timeout: config.timeoutMs,
      ...(config.jsDomain && { domain: config.jsDomain }),
    });
  } catch (error) {
    throw toNatspocError(error, 'reach JetStream');
  }
}

/**
 * Creates a stream that is not there yet, with its bucket and layout.
 *
 * @throws NatspocError `failed` where there is one of that name, and what {@link openTopology} throws.
 */
export async function createTopology(
  connection: NatsConnection,
  config: Config,
  limits: StreamLimits,
): Promise<Topology> {
  const manager = await openManager(connection, config);
  try {
    await manager.streams.info(config.stream);
  } catch (error) {
    if (apiErrorCode(error) === API_ERRORS.streamNotFound) {
      return openTopology(connection, config, { create: true, limits });
    }
    throw toNatspocError(error, `look up ${config.stream}`);
  }
  throw new NatspocError(
    'failed',
    `There is a stream ${config.stream} already; "natspoc stream" shows it. Choose another name with --stream.`,
  );
}

/**
 * Opens stream, bucket and layout, and creates what is missing where `create` is set. A partition count or
 * prefix that nobody set is taken from the layout; one that was set must agree with it.
 *
 * @throws NatspocError `stream-missing`, `layout-mismatch`, `jetstream-disabled`, `not-permitted`, `unreachable`.
 */
export async function openTopology(
  connection: NatsConnection,
  config: Config,
  options: OpenOptions,
): Promise<Topology> {
  const manager = await openManager(connection, config);
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, Math.min(config.timeoutMs, config.ttlMs / 5));
  if (!options.create) await ensureStream(manager, streamConfig(config), false);
  checkBucket(config.bucket, await ensureStream(manager, bucketConfig(config), options.create));
  const layout = await ensureLayout(bucket, config, options.create);
  const wanted = streamConfig({ ...config, prefix: layout.prefix }, options.limits);
  const stream = await ensureStream(manager, wanted, options.create);
  checkLayout(layout, config, stream.subjects);
  return { ...handles, bucket, layout, stream: config.stream };
}
