import { connectionFlags } from '../../cli/base-command.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
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
    await this.withStream(flags, 'stream', async ({ config, stream }) => {
      const status = await stream.status();
      const { serverVersion, concerns } = stream;
      const surroundings = { bucket: config.bucket, serverVersion, concerns };
      if (flags.json) this.writeJson(streamStatusJson(status, surroundings));
      else this.writeLines(formatStream(status, surroundings, this.columns));
    });
  }
}
