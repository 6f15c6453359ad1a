import type { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { NatspocError } from '../../core/lib/errors.js';
import { nameSome } from '../../core/nats/stream/missing-store.js';
import { keys } from '../../core/protocol/keys.js';
import { suggest } from '../suggest.js';

/** The error for a group that does not exist, with the names of the existing groups. */
export function missingGroup({ stream }: Config, group: string, known: readonly string[]): NatspocError {
  const meant = suggest(group, known);
  const others =
    known.length === 0
      ? `Stream ${stream} has no groups yet: "natspoc consume" creates one.`
      : `${meant === undefined ? '' : `Did you mean ${meant}? `}Stream ${stream} has ${nameSome(known)}.`;
  return new NatspocError('group-missing', `There is no group ${group}. ${others}`);
}

/**
 * Throws if a group does not exist. Without this check, a mistyped name would be reported as an unhealthy group.
 *
 * @throws NatspocError `group-missing`.
 */
export async function requireGroup(stream: StreamAdmin, config: Config): Promise<void> {
  const { group } = config;
  const start = await stream.bucket.read(keys.start(group));
  if (start.kind === 'found' && start.entry.value !== null) return;
  // Groups of older versions of natspoc have no recorded start.
  const known = await stream.groups();
  if (!known.includes(group)) throw missingGroup(config, group, known);
}
