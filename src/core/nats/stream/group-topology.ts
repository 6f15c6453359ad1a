import type { NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { parseMessageKey } from '../../protocol/message-key.js';
import { literalStart } from '../../protocol/subject.js';
import type { StreamUse } from '../client/concern.js';
import { openKeyedGroup } from './keyed-group.js';
import { openTopology, type Topology } from './topology.js';

/**
 * Opens an existing group as an operator sees it: a keyed group with its own partitions, or a group over the layout of the
 * stream. Creates nothing.
 *
 * @param whole true for the stream instead of the group: a resized group over the stream's own layout is then
 *   opened as before the resize.
 * @throws NatspocError as {@link openTopology}.
 */
export async function openGroupTopology(
  connection: NatsConnection,
  config: Config,
  uses: readonly StreamUse[],
  whole = false,
): Promise<Topology> {
  const keyed = await openKeyedGroup(connection, config, { create: false });
  if (!keyed || (whole && keyed.layout.prefix !== undefined))
    return openTopology(connection, config, { create: false, uses });
  const { v, key, filter, partitions, hash } = keyed.layout;
  return {
    ...keyed,
    layout: { v, prefix: literalStart(filter), partitions, hash },
    keyed: { text: key, filter, subjects: keyed.subjects, key: parseMessageKey(key) },
    reads: { all: filter, of: () => [filter] },
    hasTokens: false,
    deadPrefix: keyed.layout.prefix ?? `natspoc.${config.stream}`,
    duplicateWindowMs: keyed.duplicateWindowMs,
  };
}
