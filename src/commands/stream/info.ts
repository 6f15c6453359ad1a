import { connectionFlags } from '../../cli/base-command.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { ANSWER_MS } from '../../core/admin/patience.js';
import { readStreamStatus } from '../../core/admin/stream-status.js';
import { listGroups } from '../../core/nats/kv/groups.js';
import { formatStream, streamStatusJson } from '../../text/stream-table.js';

/** `natspoc stream`: what the stream holds, by partition, and which groups read it. */
export default class StreamInfo extends StreamCommand {
  static override aliases = ['stream'];
  static override summary = 'See what the stream holds, partition by partition, and the groups that read it.';
  static override description =
    prose(`Messages, bytes, limits, replicas and layout of the stream; what each partition holds; each
group with its members and the number of messages that wait for it. Also says which server answers.`);
  static override examples = [
    '<%= config.bin %> stream',
    { description: 'Another stream:', command: '<%= config.bin %> stream --stream ORDERS' },
    { description: 'The lag of each group:', command: `<%= config.bin %> stream --json | jq '.groups[]'` },
  ];
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(StreamInfo);
    await this.withStream(flags, 'stream', async ({ config, topology, observer, observe }) => {
      const groups = await listGroups(topology, config.bucket);
      const observers = new Map(groups.map((group) => [group, observe(group)]));
      const status = await readStreamStatus(observer, topology.layout, observers, ANSWER_MS);
      const surroundings = {
        bucket: config.bucket,
        serverVersion: topology.connection.info?.version ?? 'unknown',
        concerns: topology.concerns,
      };
      if (flags.json) this.writeJson(streamStatusJson(status, surroundings));
      else this.writeLines(formatStream(status, surroundings, this.columns));
    });
  }
}
