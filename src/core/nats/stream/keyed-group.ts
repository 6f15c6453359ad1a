import { type JetStreamManager, type NatsConnection, RetentionPolicy, type StreamConfig } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import type { GroupLayoutRecord } from '../../protocol/layout-records.js';
import { startPatienceMs } from '../client/ask-again.js';
import { type Concern, refuse, type StreamUse } from '../client/concern.js';
import { isGone } from '../client/gone.js';
import { answerMsOf, type NatsHandles } from '../client/handles.js';
import { openManager } from '../client/manager.js';
import { bucketStream, NatsBucket } from '../kv/bucket.js';
import { bucketConcerns } from '../kv/bucket-concerns.js';
import { createStream, findStream } from './creation.js';
import { agreeOnGroup, beginGroup, checkUnused, keyedLayout } from './group-layout.js';
import { bucketConfig } from './stored.js';
import { streamConcerns } from './stream-concerns.js';
import { storedSubjects } from './stream-layout.js';

const NANOS_PER_MS = 1_000_000;
/** Number of consumers that a member of a keyed group needs: one reads, and one catches up. */
const READERS = 2;
/** Settings that are harmless here: members of a keyed group read messages as the stream stores them. */
const HARMLESS: ReadonlySet<string> = new Set(['mirror', 'subject_transform', 'max_consumers']);

/** An opened keyed group, with its existing stream and its bucket. */
export interface KeyedGroup extends NatsHandles {
  bucket: NatsBucket;
  stream: string;
  subjects: readonly string[];
  layout: GroupLayoutRecord;
  /** Revision of the layout's entry; 0 if the layout is not written yet. */
  revision: number;
  /** A note about settings that are not used, for example because the group was resized. */
  note?: string | undefined;
  /**
   * Writes the layout; present only for the group's first member. The group's start, with the key, must be stored first.
   * Otherwise a member without a key could start the group at the same time.
   */
  begin?: (() => Promise<void>) | undefined;
  /** Settings of the stream and the bucket that can lose messages. */
  concerns: readonly Concern[];
  /** Finds the same settings in a later configuration of the stream. */
  judge: (stream: StreamConfig) => Concern[];
  /** How long, in milliseconds, the stream remembers the id of a stored message. */
  duplicateWindowMs: number;
  replicas: number;
}

/**
 * Opens a keyed group, if its layout is in the bucket or a key is set. The first member decides the layout. Later
 * members may omit its settings, but must not set different values. The stream is not changed. If `create` is set, a
 * missing bucket is created.
 *
 * @param uses a stream that would lose messages in one of these uses is refused.
 * @returns undefined for a group that uses the stream's own layout.
 * @throws NatspocError `stream-missing`, `layout-mismatch`, `config`, and refusals of the server.
 */
export async function openKeyedGroup(
  connection: NatsConnection,
  config: Config,
  options: { create: boolean; uses: readonly StreamUse[] },
): Promise<KeyedGroup | undefined> {
  const { create, uses } = options;
  const manager = await openManager(connection, config);
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, answerMsOf(config));
  const name = bucketStream(config.bucket);
  const patienceMs = create ? startPatienceMs(config) : config.timeoutMs;
  const stream = await findStream(manager, config.stream, patienceMs);
  const found = await findStream(manager, name, patienceMs);
  const stored = await keyedLayout(found && bucket, config, patienceMs);
  if (!stored) return undefined;
  if (!stream) {
    // While JetStream is being enabled, its streams are not known for a moment.
    if (create && !(await isGone(handles, config.stream))) return openKeyedGroup(connection, config, options);
    throw new NatspocError('stream-missing', describeMissing(config));
  }
  const { num_replicas: replicas, duplicate_window: window, subjects = [] } = stream.config;
  const { layout, note } = agreeOnGroup(config, stored.layout, storedSubjects(stream.config) ?? []);
  const judge = (stream: StreamConfig): Concern[] => streamConcernsOf(config, layout, stream);
  const concerns = [
    ...judge(stream.config),
    ...(await mirrorConcerns(manager, stream.config)),
    ...(found ? bucketConcerns(found.config, { ...config, replicas }) : []),
  ];
  refuse(concerns, uses);
  handles.domain = 'domain' in stream && typeof stream.domain === 'string' ? stream.domain : '';
  const duplicateWindowMs = window / NANOS_PER_MS;
  const keyed = {
    ...handles,
    bucket,
    stream: config.stream,
    subjects,
    concerns,
    judge,
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
    await createStream(manager, wanted, advice, patienceMs);
  } else await checkUnused(bucket, config, patienceMs);
  const begin = (): Promise<void> => beginGroup(bucket, config, layout, stored.revision);
  return { ...keyed, layout, revision: 0, begin };
}

const describeMissing = ({ stream, place }: Config): string =>
  `There is no stream ${stream}. A group with a key needs an existing stream. Check ${place('stream')}.`;

/** A concern about a mirror whose origin deletes messages that the mirror has copied. */
async function mirrorConcerns(manager: JetStreamManager, { name, mirror }: StreamConfig): Promise<Concern[]> {
  // If the origin is in another account or domain, its configuration cannot be read.
  if (!mirror || mirror.external) return [];
  const origin = await findStream(manager, mirror.name).catch(() => undefined);
  if (!origin || origin.config.retention === RetentionPolicy.Limits) return [];
  const message = `Stream ${name} mirrors ${mirror.name}, which has ${origin.config.retention} retention: it deletes messages as they are mirrored or acknowledged. Choose a stream with limits retention.`;
  return [{ severity: 'refused', uses: ['handle'], setting: 'mirror', message }];
}

/** Why the members of any group over a stream would refuse it. */
export async function keyedRefusals(
  manager: JetStreamManager,
  config: Config,
  stream: StreamConfig,
): Promise<string[]> {
  const concerns = [
    ...streamConcernsOf(config, { filter: '>' }, stream),
    ...(await mirrorConcerns(manager, stream)),
  ];
  return concerns
    .filter(({ severity, uses }) => severity === 'refused' && uses.includes('handle'))
    .map(({ message }) => message);
}

function streamConcernsOf(
  config: Config,
  { filter }: Pick<GroupLayoutRecord, 'filter'>,
  stream: StreamConfig,
): Concern[] {
  const another = `choose another stream with ${config.place('stream')}`;
  const needs = { wildcard: filter, partitions: READERS, hasDefaultConsumers: false, another };
  return streamConcerns(stream, needs).filter(({ setting }) => !HARMLESS.has(setting));
}
