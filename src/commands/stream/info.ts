import { connectionFlags } from '../../cli/base-command.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { formatStream, streamStatusJson } from '../../text/stream-table.js';

/** `natspoc stream`: the stream, its partitions and its groups. */
export default class StreamInfo extends StreamCommand {
  static override aliases = ['stream'];
  static override summary = 'Show the stream, its partitions and the groups that read it.';
  static override description =
    prose(`Shows the messages, bytes, limits, replicas and layout of the stream; the messages of each partition; each
group with its members and lag; and the version of the server.`);
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
