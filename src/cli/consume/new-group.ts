import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { formatCount } from '../../core/lib/units.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { keys } from '../../core/protocol/keys.js';
import { decodeStart } from '../../core/protocol/position-records.js';

/**
 * A line for people that tells where a new group starts. It matters because a mistyped name creates a new group, which handles the whole
 * stream again.
 *
 * @returns undefined if the start cannot be read.
 * @throws NatspocError if the server does not answer, or does not permit the reads.
 */
export async function describeNewGroup(
  connection: NatsConnection,
  config: Config,
): Promise<string | undefined> {
  const { group } = config;
  const stream = await StreamAdmin.open(connection, config);
  const found = await stream.bucket.read(keys.start(group));
  const start = found.kind === 'found' && found.entry.value ? decodeStart(found.entry.value) : undefined;
  if (!start) return undefined;
  const { firstSequence } = await stream.group().observer.stream();
  const waiting = await stream.waitingAfter(start.seq);
  const isFirst = start.seq < Math.max(1, firstSequence);
  const isNew = start.end !== undefined && start.seq >= start.end && !isFirst;
  const place = isFirst
    ? 'at the first message'
    : isNew
      ? 'with new messages'
      : `at sequence ${start.seq + 1}`;
  return `new group ${group}, starts ${place}, ${formatCount(waiting)} waiting`;
}
