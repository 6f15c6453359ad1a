import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { keys } from '../../core/protocol/keys.js';
import { RECORD_VERSION } from '../../core/protocol/record-format.js';
import { encodeRecord } from '../../core/protocol/records.js';

/**
 * Records that a member has done a bounded job, so that the group counts as idle while it has no members. Call this after the member has
 * left: the record counts only while it is newer than all leases of the group.
 *
 * @param until the last sequence that the member had to handle.
 * @throws NatspocError if the record cannot be written.
 */
export async function recordJob(connection: NatsConnection, config: Config, until: number): Promise<void> {
  const { bucket } = await StreamAdmin.open(connection, config);
  const key = keys.job(config.group);
  const found = await bucket.read(key);
  if (found.kind === 'failed') throw found.error;
  const revision = found.kind === 'found' ? found.entry.revision : 0;
  const record = encodeRecord({ v: RECORD_VERSION, until, at: new Date().toISOString() });
  // A conflict means that another member has just recorded the job.
  const written = await bucket.write(key, record, revision);
  if (written.kind === 'failed') throw written.error;
}
