import type { Config } from '../config/config.js';
import { startPatienceMs } from '../nats/client/ask-again.js';
import type { Concern } from '../nats/client/concern.js';
import type { NatsConnection } from '../nats/client/connection.js';
import { answerMsOf, type NatsHandles } from '../nats/client/handles.js';
import { type EventStreamOptions, NatsEventStream } from '../nats/jetstream/event-stream.js';
import type { NatsBucket } from '../nats/kv/bucket.js';
import { groupLayoutKeeper, readGroupLayout } from '../nats/stream/group-layout.js';
import { type KeyedGroup, openKeyedGroup } from '../nats/stream/keyed-group.js';
import { newConcerns } from '../nats/stream/new-concerns.js';
import { layoutKeeper } from '../nats/stream/stream-layout.js';
import { openTopology } from '../nats/stream/topology.js';
import { findUncovered } from '../nats/stream/uncovered.js';
import type { Uncovered } from '../ports/facts.js';
import type { EventStream, LayoutKeeper } from '../ports/index.js';
import { partitionOfSubject } from '../protocol/layout.js';
import type { GroupLayoutRecord } from '../protocol/layout-records.js';
import type { StreamMessage } from '../protocol/message.js';
import { type MessageKey, parseMessageKey } from '../protocol/message-key.js';
import type { PartitionIn } from '../protocol/partition-start.js';
import { literalStart } from '../protocol/subject.js';
import { byKey, keyOfGroup } from './shared/group-key.js';

/** The opened stream and bucket of a member. */
export interface Source {
  handles: NatsHandles;
  bucket: NatsBucket;
  keeper: LayoutKeeper;
  partitions: number;
  /** The layout of a keyed group, and the revision of its entry. */
  layout?: { record: GroupLayoutRecord; revision: number };
  /** A notice for the user, if any. */
  note?: string | undefined;
  /** The key that the record of the group's start must contain; see {@link GroupStartPorts.key}. */
  key: string | null | undefined;
  /** Writes the layout. The group's start must be stored first. Present for the first member of a keyed group. */
  begin?: (() => Promise<void>) | undefined;
  /** The tokens with which all subjects of the group begin. */
  prefix: string;
  /** The prefix of the subject of dead letters. */
  deadPrefix: string;
  replicas: number;
  concerns: readonly Concern[];
  events: EventStream;
  /** Finds messages of the stream that belong to no partition. */
  uncovered(): Promise<Uncovered | undefined>;
  /**
   * The partition of a message. Present if one reader serves all partitions: in a keyed group, and if tokens follow the partition in
   * subjects. With such tokens, a partition would need two filters. Consumers with several filters need nats-server 2.10, and are slower.
   */
  shared?: (message: StreamMessage) => number | undefined;
  /** The functions that depend on the number of partitions, for a resize of the group. */
  resizable: Resizable;
}

/** The functions with which a member changes to the new layout of a resized group. */
interface Resizable {
  partitionIn: PartitionIn;
  eventsOf: (layout: GroupLayoutRecord) => EventStream;
  keeperOf: (layout: GroupLayoutRecord) => LayoutKeeper;
}

const keyedEvents = (
  handles: NatsHandles,
  stream: string,
  filter: string,
  options: EventStreamOptions,
): EventStream => new NatsEventStream(handles, stream, { all: filter, of: () => [filter] }, options);

/**
 * `given` is the key of a keyed group. A resize does not change it. If a group of the stream's own layout is resized, it uses the key that
 * publishers write.
 */
const resizable = (
  handles: NatsHandles,
  config: Config,
  bucket: NatsBucket,
  given: MessageKey | undefined,
  configured: EventStreamOptions['configured'],
): Resizable => ({
  partitionIn: byKey,
  eventsOf: ({ filter, key }) =>
    keyedEvents(handles, config.stream, filter, { keyOf: (given ?? parseMessageKey(key))?.of, configured }),
  keeperOf: (layout) => groupLayoutKeeper(bucket, config, layout),
});

/** Gives requests about the stream the same timeout as requests about the bucket. */
const inTime = <T extends NatsHandles>(handles: T, config: Config): T => ({
  ...handles,
  answerMs: answerMsOf(config),
});

/**
 * Opens the stream for a member. If a keyed group is requested or exists, opens the stream for this group. Otherwise opens the partitions
 * of the stream's own layout. Creates a missing stream and bucket, except the stream of a keyed group.
 *
 * @param tell called if the stream is changed later, and the new settings can lose messages.
 * @throws NatspocError if the stream cannot be read as the configuration requests.
 */
export async function openSource(
  connection: NatsConnection,
  config: Config,
  key: MessageKey | undefined,
  tell: (concern: Concern) => void,
): Promise<Source> {
  const keyed = await openKeyedGroup(connection, config, { create: true, uses: ['handle'] });
  if (keyed) return keyedSource(inTime(keyed, config), config, key, tell);
  const opened = await openTopology(connection, config, { create: true, uses: ['handle'] });
  const topology = inTime(opened, config);
  const { bucket, layout, concerns, reads, hasTokens } = topology;
  const configured = newConcerns(concerns, topology.judge, tell);
  const own = await readGroupLayout(bucket, config.group, startPatienceMs(config));
  return {
    handles: topology,
    bucket,
    keeper: layoutKeeper(bucket, config.bucket, layout),
    partitions: layout.partitions,
    ...(own.layout && { layout: { record: own.layout, revision: own.revision } }),
    key: null,
    prefix: layout.prefix,
    deadPrefix: layout.prefix,
    replicas: config.replicas,
    concerns,
    events: new NatsEventStream(topology, config.stream, reads, { configured }),
    uncovered: () => findUncovered(topology, config.timeoutMs),
    ...(hasTokens && {
      shared: ({ subject }: StreamMessage) => partitionOfSubject(layout.prefix, subject),
    }),
    resizable: resizable(topology, config, bucket, undefined, configured),
  };
}

function keyedSource(
  group: KeyedGroup,
  config: Config,
  given: MessageKey | undefined,
  tell: (concern: Concern) => void,
): Source {
  const { bucket, layout, concerns, replicas, begin } = group;
  const { partitions, filter } = layout;
  const key = keyOfGroup(config.group, layout, given);
  const configured = newConcerns(concerns, group.judge, tell);
  return {
    handles: group,
    bucket,
    keeper: groupLayoutKeeper(bucket, config, layout),
    partitions,
    layout: { record: layout, revision: group.revision },
    note: group.note,
    key: begin ? layout.key : undefined,
    begin,
    prefix: literalStart(filter),
    deadPrefix: layout.prefix ?? `natspoc.${config.stream}`,
    replicas,
    concerns,
    events: keyedEvents(group, config.stream, filter, { keyOf: key?.of, configured }),
    uncovered: async () => undefined,
    shared: (message) => byKey(message, { partitions }),
    resizable: resizable(group, config, bucket, key, configured),
  };
}
