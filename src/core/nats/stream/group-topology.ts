import type { NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { mapConcurrently } from '../../lib/concurrently.js';
import { NatspocError } from '../../lib/errors.js';
import { parseMessageKey } from '../../protocol/message-key.js';
import { literalStart } from '../../protocol/subject.js';
import type { StreamUse } from '../client/concern.js';
import { openManager } from '../client/manager.js';
import { listGroups } from '../kv/groups.js';
import { type KeyedGroup, openKeyedGroup } from './keyed-group.js';
import { openTopology, type Topology } from './topology.js';

/**
 * Opens an existing group for an operator. The group may have its own partitions or use the stream's layout. Creates
 * nothing.
 *
 * @param whole true: open the stream with its own layout, even if the group was resized. Has no effect on a group that
 *   began with a key.
 * @throws the errors of {@link openTopology}.
 */
export async function openGroupTopology(
  connection: NatsConnection,
  config: Config,
  uses: readonly StreamUse[],
  whole = false,
): Promise<Topology> {
  const keyed = await openKeyedGroup(connection, config, { create: false, uses });
  if (!keyed || (whole && keyed.layout.prefix !== undefined))
    return openTopology(connection, config, { create: false, uses });
  return topologyOf(keyed);
}

const CONCURRENT_GROUPS = 4;

/** Opens the groups with their own partitions, except the configured group. Leaves out groups that cannot be read. */
export async function openKeyedTopologies(
  connection: NatsConnection,
  config: Config,
): Promise<Map<string, Topology>> {
  const manager = await openManager(connection, config);
  const groups = await listGroups({ connection, manager, inboxPrefix: config.inboxPrefix }, config.bucket);
  const others = groups.filter((group) => group !== config.group);
  const opened = await mapConcurrently(others, CONCURRENT_GROUPS, async (group) => {
    const keyed = await openKeyedGroup(connection, { ...config, group }, { create: false, uses: [] }).catch(
      (error: unknown) => {
        if (error instanceof NatspocError && error.code !== 'unreachable') return undefined;
        throw error;
      },
    );
    return keyed ? ([[group, topologyOf(keyed)]] as const) : [];
  });
  return new Map(opened.flat());
}

function topologyOf(keyed: KeyedGroup): Topology {
  const { v, key, filter, partitions, hash } = keyed.layout;
  return {
    ...keyed,
    layout: { v, prefix: literalStart(filter), partitions, hash },
    keyed: { text: key, filter, subjects: keyed.subjects, key: parseMessageKey(key) },
    reads: { all: filter, of: () => [filter] },
    hasTokens: false,
    deadPrefix: keyed.layout.prefix ?? `natspoc.${keyed.stream}`,
    duplicateWindowMs: keyed.duplicateWindowMs,
  };
}
