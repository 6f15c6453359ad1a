import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import { listGroups } from '../kv/groups.js';
import type { Found } from './agreement.js';

/** A message names at most this number of groups. */
const NAMED = 8;

/** The names of the first {@link NAMED} groups as text, and the number of the remaining groups. */
export function nameSome(groups: readonly string[]): string {
  const more = groups.length > NAMED ? ` and ${groups.length - NAMED} more` : '';
  return `${groups.slice(0, NAMED).join(', ')}${more}`;
}

/** Says whether the stream or the bucket is missing, and which command helps; undefined if both exist. */
export function missingStore(
  { stream, bucket, option }: Config,
  found: Pick<Found, 'stream' | 'bucket'>,
): string | undefined {
  if (!found.stream && found.bucket)
    return `There is no stream ${stream}, but its bucket ${bucket} exists. "natspoc stream delete" removes the bucket. If the name is wrong, set ${option('stream')}.`;
  if (!found.stream)
    return `There is no stream ${stream} yet. "natspoc publish" and "natspoc consume" create it. If the name is wrong, set ${option('stream')}.`;
  if (!found.bucket)
    return `Stream ${stream} has no bucket ${bucket}: it was deleted, or never created. "natspoc stream create" creates it. If the name is wrong, set ${option('bucket')}.`;
  return undefined;
}

/**
 * The error for a missing stream, bucket or layout (`stream-missing`) or group (`group-missing`), with advice; undefined if
 * nothing is missing.
 */
export async function missingPart(
  handles: NatsHandles,
  config: Config,
  found: Found,
): Promise<NatspocError | undefined> {
  const { bucket, option } = config;
  const missing = missingStore(config, found);
  if (missing !== undefined) return new NatspocError('stream-missing', missing);
  if (found.stored.layout) return undefined;
  const groups = found.stream ? await listGroups(handles, bucket) : [];
  if (groups.length > 0) return chooseGroup(config, groups);
  const message = `Bucket ${bucket} has no layout yet. "natspoc publish" and "natspoc consume" write the layout. If the name is wrong, set ${option('bucket')}.`;
  return new NatspocError('stream-missing', message);
}

/** The error for a group that does not exist, in a stream that is read only by groups with a key. */
export const chooseGroup = (
  { stream, group, option }: Pick<Config, 'stream' | 'group' | 'option'>,
  groups: readonly string[],
): NatspocError =>
  new NatspocError(
    'group-missing',
    `Stream ${stream} is read by groups with a key, and ${group} is not one of them. Choose one of these groups with ${option('group')}: ${nameSome(groups)}.`,
  );
