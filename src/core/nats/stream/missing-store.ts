import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import { listGroups } from '../kv/groups.js';
import type { Found } from './agreement.js';

const NAMED = 8;

/** The first {@link NAMED} groups as text, and the number of the others. */
export function nameSome(groups: readonly string[]): string {
  const more = groups.length > NAMED ? ` and ${groups.length - NAMED} more` : '';
  return `${groups.slice(0, NAMED).join(', ')}${more}`;
}

/** Says what is missing and which command helps; undefined if stream and bucket exist. */
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
 * The error, with advice, if anything is missing: `stream-missing` for a stream, bucket or layout, and `group-missing`
 * for a group.
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

/** The error for a missing group in a stream that only groups with a key read. */
export const chooseGroup = (
  { stream, group, option }: Pick<Config, 'stream' | 'group' | 'option'>,
  groups: readonly string[],
): NatspocError =>
  new NatspocError(
    'group-missing',
    `Stream ${stream} is read by groups with a key, and ${group} is not one of them. Choose one of these groups with ${option('group')}: ${nameSome(groups)}.`,
  );
