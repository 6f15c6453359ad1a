import {
  type JetStreamManager,
  type NatsConnection,
  RetentionPolicy,
  type StreamConfig,
  type StreamInfo,
} from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import {
  decodeGroupLayout,
  type GroupLayoutRecord,
  hasOwnPartitions,
} from '../../protocol/layout-records.js';
import { tokensOf } from '../../protocol/message-key.js';
import { decodeStart } from '../../protocol/position-records.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import { type Concern, refuse } from '../client/concern.js';
import type { NatsHandles } from '../client/handles.js';
import { openManager } from '../client/manager.js';
import { bucketStream, NatsBucket } from '../kv/bucket.js';
import { bucketConcerns } from '../kv/bucket-concerns.js';
import { collide } from './collide.js';
import { createStream, findStream } from './creation.js';
import { entryKeeper, type LayoutEntry, readEntry, type StoredLayout, writeEntry } from './layout-entry.js';
import { bucketConfig } from './stored.js';
import { streamConcerns } from './stream-concerns.js';

const NANOS_PER_MS = 1_000_000;
/** Consumers that a member of a keyed group needs: one that reads, and one that catches up. */
const READERS = 2;
/** Settings that do not lose messages of a stream that members read unchanged. */
const HARMLESS: ReadonlySet<string> = new Set(['mirror', 'subject_transform', 'max_consumers']);

/** An opened keyed group: a stream that exists, and the bucket beside it. */
export interface KeyedGroup extends NatsHandles {
  bucket: NatsBucket;
  stream: string;
  /** What the stream listens to. */
  subjects: readonly string[];
  layout: GroupLayoutRecord;
  /** Revision of the layout's entry; 0: it is not written yet. */
  revision: number;
  /** A setting that is not used, because the group was resized since; undefined: none. */
  note?: string | undefined;
  /**
   * Present for the group's first member: writes the layout. To be called when the start of the group says that it has a key, so
   * that no member without one can begin beside it.
   */
  begin?: (() => Promise<void>) | undefined;
  /** Settings of the stream and the bucket that lose messages, or may. */
  concerns: readonly Concern[];
  /** How long the stream notices the id of a message that it has stored, milliseconds. */
  duplicateWindowMs: number;
  /** Replicas of the stream. */
  replicas: number;
}

/**
 * Opens a group as a keyed one if its layout is in the bucket, or a key is set. The first member decides the layout;
 * later members may leave it out, and must not differ from it. The stream is not changed. A missing bucket is
 * created if `create` is set.
 *
 * @returns undefined for a group over our own layout.
 * @throws NatspocError `stream-missing`, `layout-mismatch`, `config`, and what the server refuses.
 */
export async function openKeyedGroup(
  connection: NatsConnection,
  config: Config,
  { create }: { create: boolean },
): Promise<KeyedGroup | undefined> {
  const manager = await openManager(connection, config);
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, Math.min(config.timeoutMs, config.ttlMs / 5));
  const name = bucketStream(config.bucket);
  const [stream, found] = [await findStream(manager, config.stream), await findStream(manager, name)];
  const entry = entryOf(bucket, config.group);
  const stored = found ? await readEntry(entry) : { layout: undefined, revision: 0 };
  if (stored.layout && hasOwnPartitions(stored.layout)) stored.layout = undefined;
  if (!stored.layout && config.key === undefined) {
    if (config.filter === undefined) return undefined;
    const message = `${config.place('filter')} needs a key: give ${config.option('key')} as well, such as subject:2.`;
    throw new NatspocError('config', message);
  }
  if (!stream) throw new NatspocError('stream-missing', describeMissing(config));
  const { layout, note } = agreeOnGroup(config, stored.layout);
  checkFits(config, layout, stream);
  await refuseMirror(manager, stream.config);
  const concerns = concernsOf(config, layout, stream, found);
  refuse(concerns, ['handle']);
  handles.domain = 'domain' in stream && typeof stream.domain === 'string' ? stream.domain : '';
  const { num_replicas: replicas, duplicate_window: window, subjects = [] } = stream.config;
  const duplicateWindowMs = window / NANOS_PER_MS;
  const keyed = {
    ...handles,
    bucket,
    stream: config.stream,
    subjects,
    concerns,
    replicas,
    duplicateWindowMs,
    note,
  };
  if (stored.layout) return { ...keyed, layout, revision: stored.revision };
  if (!create) return undefined;
  if (!found) {
    const wanted = bucketConfig({ ...config, replicas: stream.config.num_replicas }, {});
    const advice = {
      otherSubjects: `choose another bucket with ${config.option('bucket')}`,
      limitBytes: 'Create the bucket yourself with a limit: "nats kv add"',
    };
    await createStream(manager, wanted, advice);
  } else await checkUnused(bucket, config);
  const begin = async (): Promise<void> => {
    const written = await writeEntry(entry, layout, stored.revision);
    if (!isSame(written, layout)) throw mismatch(config, written, layout);
  };
  return { ...keyed, layout, revision: 0, begin };
}

/** The layout of a group that is to be resized, or was; undefined: it has none. */
export const readGroupLayout = (bucket: Bucket, group: string): Promise<StoredLayout<GroupLayoutRecord>> =>
  readEntry(entryOf(bucket, group));

/** Keeps the layout of a keyed group in its bucket; see {@link entryKeeper}. */
export const groupLayoutKeeper = (bucket: Bucket, config: Config, layout: GroupLayoutRecord): LayoutKeeper =>
  entryKeeper(entryOf(bucket, config.group), layout, (found) =>
    isSame(found, layout) ? undefined : mismatch(config, found, layout),
  );

const entryOf = (bucket: Bucket, group: string): LayoutEntry<GroupLayoutRecord> => ({
  bucket,
  key: keys.groupLayout(group),
  decode: (value) => {
    const layout = decodeGroupLayout(value);
    if (layout) return layout;
    throw new NatspocError(
      'layout-mismatch',
      `The layout of group ${group} cannot be read: it was written by a newer version or another program. ` +
        `Update natspoc; if nothing newer runs here, delete ${keys.groupLayout(group)} from the bucket and start a member with the group's key.`,
    );
  },
});

const unanswered = (): NatspocError =>
  new NatspocError(
    'unreachable',
    'Could not read the start of the group: the server did not answer in time.',
  );

const describeMissing = ({ stream, place }: Config): string =>
  `There is no stream ${stream}. A group with a key reads a stream that exists; check ${place('stream')}.`;

/** What the group has agreed on, or what its first member asks for. */
function agreeOnGroup(
  config: Config,
  stored: GroupLayoutRecord | undefined,
): { layout: GroupLayoutRecord; note?: string } {
  const { key = '', filter = '>', partitions } = config;
  const asked: GroupLayoutRecord = { v: RECORD_VERSION, key, filter, partitions, hash: 'fnv1a32' };
  if (!stored) return { layout: asked };
  const wanted = { ...stored };
  if (config.given.has('key')) wanted.key = asked.key;
  if (config.given.has('filter')) wanted.filter = asked.filter;
  if (config.given.has('partitions')) wanted.partitions = asked.partitions;
  // Members are started with the number that the group once had, and must be able to restart.
  const isOld = stored.epoch !== undefined && wanted.partitions !== stored.partitions;
  if (isOld) wanted.partitions = stored.partitions;
  if (!isSame(wanted, stored)) throw mismatch(config, stored, wanted);
  if (!isOld) return { layout: stored };
  const note = `${config.place('partitions')} is not used: group ${config.group} was resized to ${stored.partitions} partitions`;
  return { layout: stored, note };
}

const isSame = (a: GroupLayoutRecord, b: GroupLayoutRecord): boolean =>
  a.key === b.key &&
  a.filter === b.filter &&
  a.partitions === b.partitions &&
  a.hash === b.hash &&
  a.epoch === b.epoch;

const inWords = ({ key, filter, partitions }: GroupLayoutRecord): string =>
  `${partitions} ${partitions === 1 ? 'partition' : 'partitions'} by ${key}${filter === '>' ? '' : ` of ${filter}`}`;

function mismatch(config: Config, stored: GroupLayoutRecord, asked: GroupLayoutRecord): NatspocError {
  return new NatspocError(
    'layout-mismatch',
    `Group ${config.group} has ${inWords(stored)}, but this member asks for ${inWords(asked)}. ` +
      `Leave these settings out to use those of the group, or choose another group with ${config.option('group')}.`,
  );
}

/**
 * @throws NatspocError `layout-mismatch` if the group has started with the partitions of the stream's own layout. Where an older
 *   version wrote the start, only the layout says that the group has a key.
 */
async function checkUnused(bucket: NatsBucket, config: Config): Promise<void> {
  const start = await bucket.read(keys.start(config.group));
  if (start.kind === 'failed') throw start.error;
  if (start.kind === 'unknown') throw unanswered();
  if (start.kind === 'missing' || start.entry.value === null) return;
  if (typeof decodeStart(start.entry.value)?.key === 'string') return;
  throw new NatspocError(
    'layout-mismatch',
    `Group ${config.group} handles the partitions of the stream's own layout, and its positions would mean other messages with a key. ` +
      `Choose another group with ${config.option('group')}.`,
  );
}

/** @throws NatspocError `config` if the stream does not fit the layout. */
function checkFits(config: Config, { key, filter }: GroupLayoutRecord, { config: stream }: StreamInfo): void {
  const subjects = stream.subjects ?? [];
  if (subjects.length > 0 && !subjects.some((subject) => collide(subject, filter))) {
    throw new NatspocError(
      'config',
      `Stream ${config.stream} has no subjects that match ${filter}: it listens to ${subjects.join(', ')}. Check ${config.place('filter')}.`,
    );
  }
  const most = Math.max(0, ...tokensOf(key));
  const read = subjects.filter((subject) => collide(subject, filter));
  const shortest =
    read.length > 0 ? read.map((subject) => Math.min(tokens(subject), tokens(filter))) : [tokens(filter)];
  if (shortest.some((length) => length >= most)) return;
  const patterns = filter === '>' ? read : [filter];
  throw new NatspocError(
    'config',
    `${config.place('key')}: ${key} names token ${most}, but no subject of ${patterns.join(', ')} has that many.`,
  );
}

/** How many tokens the subjects of a pattern have at most. */
const tokens = (pattern: string): number =>
  pattern.endsWith('>') ? Number.POSITIVE_INFINITY : pattern.split('.').length;

/**
 * A work queue deletes what its mirror has taken, so it is no copy of a stream that goes on to exist.
 *
 * @throws NatspocError `layout-mismatch`.
 */
async function refuseMirror(manager: JetStreamManager, { name, mirror }: StreamConfig): Promise<void> {
  // A mirror of another account or domain cannot be looked at.
  if (!mirror || mirror.external) return;
  const origin = await findStream(manager, mirror.name).catch(() => undefined);
  if (!origin || origin.config.retention === RetentionPolicy.Limits) return;
  throw new NatspocError(
    'layout-mismatch',
    `Stream ${name} mirrors ${mirror.name}, which has ${origin.config.retention} retention: it deletes messages as they are mirrored or acknowledged. Choose a stream with limits retention.`,
  );
}

function concernsOf(
  config: Config,
  { filter }: GroupLayoutRecord,
  stream: StreamInfo,
  bucket: StreamInfo | undefined,
): Concern[] {
  const another = `choose another stream with ${config.place('stream')}`;
  const needs = { wildcard: filter, partitions: READERS, hasDefaultConsumers: false, another };
  const replicas = stream.config.num_replicas;
  const ofBucket = bucket
    ? bucketConcerns(bucket.config, { bucket: config.bucket, partitions: config.partitions, replicas })
    : [];
  return [
    ...streamConcerns(stream.config, needs).filter(({ setting }) => !HARMLESS.has(setting)),
    ...ofBucket,
  ];
}
