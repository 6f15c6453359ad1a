import type { JetStreamManager, NatsConnection, StreamConfig } from 'nats';
import type { Config } from '../config.js';
import { NatspocError } from '../errors.js';
import { type LayoutRecord, RECORD_VERSION } from '../group/records.js';
import { askAgain } from './ask-again.js';
import { bucketStream, NatsBucket } from './bucket.js';
import type { NatsHandles } from './handles.js';
import { readHeadersTolerantly } from './headers.js';
import { API_ERRORS, apiErrorCode, toNatspocError } from './outcome.js';
import { bucketConfig, checkBucket, type StreamLimits, streamConfig, type Wanted } from './stored.js';
import { checkSettings, checkStream, describedLayout, ensureLayout } from './stream-layout.js';

/** What the parts of a running command share: the agreed layout and the handles to reach it. */
export interface Topology extends NatsHandles {
  bucket: NatsBucket;
  layout: LayoutRecord;
  stream: string;
  /** How long the stream notices the id of a message that it has stored, milliseconds. */
  duplicateWindowMs: number;
}

const NANOS_PER_MS = 1_000_000;

/** What {@link openTopology} may do. */
export interface OpenOptions {
  create: boolean;
  /** Throws where it cannot do with this layout: before anything is created, where nothing is agreed yet. */
  accept?: ((layout: LayoutRecord) => void) | undefined;
  limits?: StreamLimits;
}

/** A stream's configuration; undefined where there is no such stream. */
async function findStream(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await askAgain(() => manager.streams.info(name), manager.getOptions().timeout)).config;
  } catch (error) {
    if (apiErrorCode(error) === API_ERRORS.streamNotFound) return undefined;
    throw toNatspocError(error, `look up ${name}`);
  }
}

/** The stream's configuration, created when missing and `create` allows it. */
async function ensureStream(
  manager: JetStreamManager,
  wanted: Wanted,
  create: boolean,
  missing: () => NatspocError,
): Promise<StreamConfig> {
  const found = await findStream(manager, wanted.name);
  if (found) return found;
  if (!create) throw missing();
  try {
    return (await askAgain(() => manager.streams.add(wanted), manager.getOptions().timeout)).config;
  } catch (error) {
    // Somebody else was faster, with other settings: theirs are checked below like any that we find.
    if (apiErrorCode(error) === API_ERRORS.streamNameInUse)
      return ensureStream(manager, wanted, false, missing);
    throw toNatspocError(error, `create ${wanted.name}`);
  }
}

const missing = (what: string, flag: string): NatspocError =>
  new NatspocError(
    'stream-missing',
    `There is no ${what} yet. "natspoc publish" and "natspoc consume" create it; check ${flag}.`,
  );
const streamMissing = ({ stream }: Config): NatspocError => missing(`stream ${stream}`, '--stream');
const bucketMissing = ({ bucket }: Config): NatspocError => missing(`bucket ${bucket}`, '--bucket');

async function openManager(connection: NatsConnection, config: Config): Promise<JetStreamManager> {
  // The connection may be one that a program made.
  readHeadersTolerantly();
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
 * Creates a stream that is not there yet, with its bucket and layout; or only the bucket, where a stream has lost it.
 *
 * @returns `hadStream`: only the bucket was missing, and the limits were not needed.
 * @throws NatspocError `failed` where both are there, and what {@link openTopology} throws.
 */
export async function createTopology(
  connection: NatsConnection,
  config: Config,
  limits: StreamLimits,
): Promise<Topology & { hadStream: boolean }> {
  const manager = await openManager(connection, config);
  const hadStream = (await findStream(manager, config.stream)) !== undefined;
  if (hadStream && (await findStream(manager, bucketStream(config.bucket)))) {
    throw new NatspocError(
      'failed',
      `There is a stream ${config.stream} already; "natspoc stream" shows it. Choose another name with --stream.`,
    );
  }
  return { ...(await openTopology(connection, config, { create: true, limits })), hadStream };
}

/**
 * Opens stream, bucket and layout, and creates what is missing where `create` is set. A partition count or
 * prefix that nobody set is taken from the layout; one that was set must agree with it, and so must the layouts of
 * all buckets of one stream.
 *
 * @throws NatspocError `stream-missing`, `layout-mismatch`, `jetstream-disabled`, `not-permitted`, `unreachable`.
 */
export async function openTopology(
  connection: NatsConnection,
  config: Config,
  { create, accept, limits }: OpenOptions,
): Promise<Topology> {
  const manager = await openManager(connection, config);
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, Math.min(config.timeoutMs, config.ttlMs / 5));
  const existing = await findStream(manager, config.stream);
  if (!existing && !create) throw streamMissing(config);
  const described = existing && describedLayout(existing);
  // Before anything is created for settings that will be refused.
  if (described) checkSettings(config, described);
  const { prefix, partitions } = config;
  const wanted = described ?? { v: RECORD_VERSION, prefix, partitions, hash: 'fnv1a32' as const };
  // A bucket that is there may know of another layout than the settings.
  if (accept && (described || !(await findStream(manager, bucketStream(config.bucket))))) accept(wanted);
  const ensure = (wanted: Wanted, absent: (config: Config) => NatspocError): Promise<StreamConfig> =>
    ensureStream(manager, wanted, create, () => absent(config));
  checkBucket(config.bucket, await ensure(bucketConfig(config), bucketMissing));
  const layout = await ensureLayout(bucket, config.bucket, wanted, create);
  checkSettings(config, layout);
  accept?.(layout);
  const stream = existing ?? (await ensure(streamConfig(config, layout, limits), streamMissing));
  checkStream(config, layout, stream);
  const duplicateWindowMs = stream.duplicate_window / NANOS_PER_MS;
  return { ...handles, bucket, layout, stream: config.stream, duplicateWindowMs };
}
