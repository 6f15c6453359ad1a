import { connectionFlags } from '../../cli/base-command.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { configOf } from '../../core/config/config-of.js';
import { NatspocError } from '../../core/lib/errors.js';
import { escapeControl } from '../../core/lib/text.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { nameSome } from '../../core/nats/stream/missing-store.js';
import { formatStream, streamStatusJson } from '../../text/stream-table.js';

/** `natspoc stream`: the stream, its partitions and its groups. */
export default class StreamInfo extends StreamCommand {
  static override aliases = ['stream'];
  static override summary = 'Show the stream, its partitions and the groups that read it.';
  static override description =
    prose(`Shows the messages, bytes, limits, replicas and layout of the stream; the messages of each partition; each
group with its members and lag; and the version of the server. If only groups with a key read the stream, the partitions are those of
--group, by default of the first group.`);
  static override examples = [
    '<%= config.bin %> stream',
    { description: 'Another stream:', command: '<%= config.bin %> stream --stream ORDERS' },
    { description: 'The lag of each group:', command: `<%= config.bin %> stream --json | jq '.groups[]'` },
  ];
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(StreamInfo);
    await this.withConnection(flags, 'stream', async (config, connection) => {
      const stream = await this.#open(config, connection);
      const status = await stream.status();
      const { serverVersion, concerns } = stream;
      const surroundings = { bucket: config.bucket, serverVersion, concerns };
      if (flags.json) this.writeJson(streamStatusJson(status, surroundings));
      else this.writeLines(formatStream(status, surroundings, this.columns));
    });
  }

  /** Opens the stream. If only keyed groups read it, and no group was chosen, opens it with the partitions of the first group. */
  async #open(config: Config, connection: NatsConnection): Promise<StreamAdmin> {
    try {
      return await StreamAdmin.open(connection, config);
    } catch (error) {
      const isMissing = error instanceof NatspocError && error.code === 'group-missing';
      if (!isMissing || config.given.has('group')) throw error;
      const all = await StreamAdmin.openAll(connection, config, async () => {});
      const [group, ...others] = await all.groups();
      if (group === undefined) throw error;
      const rest = others.length === 0 ? '' : `; --group shows those of ${nameSome(others)}`;
      this.note(escapeControl(`The partitions are those of group ${group}${rest}.`));
      return StreamAdmin.open(connection, configOf(config, group));
    }
  }
}
