import { connectionFlags } from '../../cli/base-command.js';
import { forceFlag } from '../../cli/flag.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { describeLag } from '../../core/admin/lag.js';
import { describeMembers, type StreamStatus } from '../../core/admin/stream-status.js';
import type { Config } from '../../core/config/config.js';
import { formatCount } from '../../core/lib/units.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { findOrphanBucket } from '../../core/nats/stream/existing-bucket.js';

/** `natspoc stream delete`: deletes the stream and its bucket. */
export default class StreamDelete extends StreamCommand {
  static override summary = "Delete the stream, its layout, and all groups' leases and positions.";
  static override description =
    'Running members end with an error. If the stream is already gone, its bucket is deleted. Dead letters stay, because they are in another stream. Asks for the name of the stream; --force skips the question.';
  static override examples = ['<%= config.bin %> <%= command.id %> --stream TRIAL'];
  static override flags = { force: forceFlag, ...connectionFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(StreamDelete);
    const hadOrphan = await this.withConnection(flags, 'stream delete', (config, connection) =>
      this.#deleteOrphan(config, connection, flags),
    );
    if (hadOrphan) return;
    await this.withStream(
      flags,
      'stream delete',
      async ({ config, stream: admin }) => {
        const { stream, bucket } = config;
        const status = await admin.status();
        const groups = status.groups.map((each) => `${each.group} (${stateOf(each)})`);
        const consequences = [
          `Stream ${stream} with ${formatCount(status.stream.messages)} messages and bucket ${bucket} will be deleted.`,
          groups.length > 0 ? `Groups: ${groups.join(', ')}.` : 'No group reads it.',
        ];
        await this.confirm({ consequences, name: stream, force: flags.force });
        await admin.deleteAll();
        if (flags.json) this.writeJson({ deleted: { stream, bucket, messages: status.stream.messages } });
        else this.writeLines([`Deleted stream ${stream} and bucket ${bucket}.`]);
      },
      [],
      true,
    );
  }

  /** Deletes the bucket if its stream is gone. Returns false if no such bucket exists. */
  async #deleteOrphan(
    config: Config,
    connection: NatsConnection,
    { force, json }: { force: boolean; json: boolean },
  ): Promise<boolean> {
    const orphan = await findOrphanBucket(connection, config);
    if (!orphan) return false;
    const { stream, bucket } = config;
    const { groups } = orphan;
    const consequences = [
      `There is no stream ${stream}. Its bucket ${bucket} will be deleted.`,
      groups.length > 0 ? `Groups: ${groups.join(', ')}.` : 'It has no groups.',
    ];
    await this.confirm({ consequences, name: stream, force });
    await orphan.remove();
    if (json) this.writeJson({ deleted: { stream: null, bucket, messages: 0 } });
    else this.writeLines([`Deleted bucket ${bucket}; there was no stream ${stream}.`]);
    return true;
  }
}

function stateOf(group: StreamStatus['groups'][number]): string {
  const { lag, lagIsEstimate, problem } = group;
  if (problem !== null) return 'unreadable';
  const waiting = lag === null ? 'unknown number of messages waiting' : describeLag(lag, lagIsEstimate);
  return `${describeMembers(group)}, ${waiting}`;
}
