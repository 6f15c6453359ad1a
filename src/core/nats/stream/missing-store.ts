import type { JetStreamManager, StreamConfig } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import type { NatsHandles } from '../client/handles.js';
import { listGroups } from '../kv/groups.js';
import type { Found } from './agreement.js';
import { keyedRefusals } from './keyed-group.js';
import { describedLayout, storesPartitions } from './stream-layout.js';

const NAMED = 8;

/** The first {@link NAMED} groups as text, and the number of the others. */
export function nameSome(groups: readonly string[]): string {
  const more = groups.length > NAMED ? ` and ${groups.length - NAMED} more` : '';
  return `${groups.slice(0, NAMED).join(', ')}${more}`;
}

/**
 * Says what is missing and which command helps; undefined if stream and bucket exist.
 *
 * @throws NatspocError `layout-mismatch` if the layout in the stream's description cannot be read.
 */
export async function missingStore(
  manager: JetStreamManager,
  config: Config,
  found: Pick<Found, 'stream' | 'bucket'>,
): Promise<string | undefined> {
  const { stream, bucket, option } = config;
  if (!found.stream && found.bucket)
    return `There is no stream ${stream}, but its bucket ${bucket} exists. "natspoc stream delete" removes the bucket. If the name is wrong, set ${option('stream')}.`;
  if (!found.stream)
    return `There is no stream ${stream} yet. "natspoc publish" and "natspoc consume" create it. If the name is wrong, set ${option('stream')}.`;
  if (found.bucket) return undefined;
  const none = `Stream ${stream} has no bucket ${bucket}`;
  const [refusal] = await keyedRefusals(manager, config, found.stream.config);
  if (refusal !== undefined) return `${none}, and members refuse the stream. ${refusal}`;
  const advice = hasPartitions(config, found.stream.config)
    ? '"natspoc stream create" creates it'
    : `"natspoc consume --key KEY" creates it, with a key such as subject:2; "natspoc groups import FILE" restores saved groups`;
  return `${none}: it was deleted, or never created. ${advice}. If the name is wrong, set ${option('bucket')}.`;
}

/** True if `natspoc stream create` can add a bucket with the stream's own partitions. */
const hasPartitions = ({ prefix, partitions }: Config, stream: StreamConfig): boolean =>
  describedLayout(stream) !== undefined ||
  storesPartitions(stream, { v: RECORD_VERSION, prefix, partitions, hash: 'fnv1a32' });

/**
 * The error, with advice, if anything is missing: `stream-missing` for a stream, bucket or layout, and `group-missing`
 * for a group.
 */
export async function missingPart(
  handles: NatsHandles,
  config: Config,
  found: Found,
): Promise<NatspocError | undefined> {
  const { bucket, option } = config;
  const missing = await missingStore(handles.manager, config, found);
  if (missing !== undefined) return new NatspocError('stream-missing', missing);
  if (found.stored.layout) return undefined;
  const groups = found.stream ? await listGroups(handles, bucket) : [];
  if (groups.length > 0) return chooseGroup(config, groups);
  const message = `Bucket ${bucket} has no layout yet. "natspoc publish" and "natspoc consume" write the layout. If the name is wrong, set ${option('bucket')}.`;
  return new NatspocError('stream-missing', message);
}

/** The error for a missing group in a stream that only groups with a key read. */
export const chooseGroup = (
  { stream, group, option }: Pick<Config, 'stream' | 'group' | 'option'>,
  groups: readonly string[],
): NatspocError =>
  new NatspocError(
    'group-missing',
    `Stream ${stream} is read by groups with a key, and ${group} is not one of them. Choose one of these groups with ${option('group')}: ${nameSome(groups)}.`,
  );
