import type { Config } from '../config/config.js';
import { NatspocError } from '../lib/errors.js';
import type { MemberSettings } from '../member/engine/contract.js';
import { groupStart } from '../member/partition/group-start.js';
import { budgetOf } from '../member/settings.js';
import { byKey, keyOfGroup } from '../member/shared/group-key.js';
import { shareReaders } from '../member/shared/share-readers.js';
import {
  agreeOnGroup,
  beginGroup,
  checkUnused,
  groupLayoutKeeper,
  keyedLayout,
} from '../nats/stream/group-layout.js';
import { checkSettings } from '../nats/stream/stream-layout.js';
import type { Bucket, EventStream, LayoutKeeper } from '../ports/index.js';
import { layoutSubjects } from '../protocol/layout.js';
import type { MessageKey } from '../protocol/message-key.js';
import { LocalEvents, type LocalReading } from './local-events.js';
import type { LocalProcess } from './local-process.js';
import type { LocalServer } from './local-server.js';

/** The stream as a member reads it. */
type LocalSource = Pick<MemberSettings, 'partitions' | 'layout' | 'start'> & {
  events: EventStream;
  /** Absent if the bucket contains no layout. */
  keeper?: LayoutKeeper;
};

/** A member that reads a local stream. */
export interface LocalReaderOf {
  server: LocalServer;
  process: LocalProcess;
  bucket: Bucket;
  config: Config;
  /** The `key` option of the program, parsed. */
  messageKey: MessageKey | undefined;
}

/**
 * Opens the stream for a member, as `openSource` does over a connection. If the options request a keyed group, or the group is already
 * keyed, the member reads the group's partitions. Otherwise it reads those of the stream's own layout.
 *
 * @throws NatspocError if the stream cannot be read as the options request.
 */
export async function openLocalSource(of: LocalReaderOf): Promise<LocalSource> {
  const { server, bucket, config } = of;
  const stored = await keyedLayout(bucket, config, config.timeoutMs);
  if (!stored) return ownSource(of);
  const { layout } = agreeOnGroup(config, stored.layout, server.subjects);
  const { partitions, filter } = layout;
  const key = keyOfGroup(config.group, layout, of.messageKey);
  const events = eventsOf(of, { subjects: { all: filter, of: () => [filter] }, keyOf: key.of });
  if (!stored.layout) await checkUnused(bucket, config, config.timeoutMs);
  const start = await startOf(of, events, stored.layout ? undefined : layout.key);
  if (!stored.layout) await beginGroup(bucket, config, layout, stored.revision);
  const { group } = config;
  const { clock } = of.process;
  return {
    partitions,
    layout: { record: layout, revision: stored.layout ? stored.revision : 0 },
    keeper: groupLayoutKeeper(bucket, config, layout),
    start,
    events: shareReaders(events, partitions, (message) => byKey(message, { partitions }), {
      group,
      clock,
      start,
      budget: budgetOf(config),
    }),
  };
}

async function ownSource(of: LocalReaderOf): Promise<LocalSource> {
  const { server, config } = of;
  const { layout, subjects } = server;
  if (!layout) {
    const message = `The stream listens to ${subjects.join(', ')}, and has no partitions of its own: give the group a key, such as subject:2.`;
    throw new NatspocError('layout-mismatch', message);
  }
  checkSettings(config, layout);
  const events = eventsOf(of, { subjects: layoutSubjects(layout.prefix) });
  return { partitions: layout.partitions, layout: undefined, start: await startOf(of, events, null), events };
}

const eventsOf = ({ server, process }: LocalReaderOf, reading: LocalReading): LocalEvents =>
  new LocalEvents(server.log, process, server.createdMs, reading);

const startOf = (
  { bucket, process: { clock }, config }: LocalReaderOf,
  stream: LocalEvents,
  key: string | null | undefined,
) => groupStart(config.group, config.from, { bucket, stream, clock, key }, config.timeoutMs);
