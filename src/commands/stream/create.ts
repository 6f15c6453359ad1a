import { connectionFlags } from '../../cli/base-command.js';
import { countFlag, readFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { duration, size } from '../../core/config/parse.js';
import { ALL_USES } from '../../core/nats/client/concern.js';
import { createTopology } from '../../core/nats/stream/topology.js';

/** A century. The server's own limit is higher. */
const LONGEST_RETENTION = '36500d';

/** The largest size, a little below the largest safe integer. */
const LARGEST_SIZE = '8000000GiB';

/** `natspoc stream create`: creates a stream with limits. */
export default class StreamCreate extends StreamCommand {
  static override summary = 'Create the stream, its layout and its bucket, with limits.';
  static override description =
    '"natspoc publish" and "natspoc consume" create a missing stream without limits; use this command to set limits. Partitions and prefix cannot be changed later. If only the bucket is missing, it is created again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --partitions 32 --max-age 7d',
    {
      description: 'In a cluster, with a size limit at which new messages are refused:',
      command:
        '<%= config.bin %> <%= command.id %> --stream ORDERS --prefix orders --replicas 3 --max-bytes 20GiB --discard new',
    },
  ];
  static override flags = {
    storage: Flags.string({
      description: 'where to store messages [default file]',
      options: ['file', 'memory'],
      helpValue: 'file|memory',
    }),
    'max-messages': countFlag({ description: 'maximum number of messages', min: 1, helpValue: 'N' }),
    'max-bytes': Flags.string({ description: 'maximum size, such as 20GiB', helpValue: 'BYTES' }),
    'max-age': Flags.string({ description: 'how long to keep messages, such as 7d', helpValue: 'DURATION' }),
    'duplicate-window': Flags.string({
      description: 'how long the server remembers message ids [default 2m]',
      helpValue: 'DURATION',
    }),
    discard: Flags.string({
      description: 'when full, drop old messages or refuse new ones [default old]',
      options: ['old', 'new'],
      helpValue: 'old|new',
    }),
    'bucket-max-bytes': Flags.string({
      description: 'size limit of the bucket, for accounts that require a limit',
      helpValue: 'BYTES',
    }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(StreamCreate);
    const age = (flag: 'max-age' | 'duplicate-window') =>
      readFlag(flag, flags[flag], duration('1ms', LONGEST_RETENTION, '7d'));
    const limits = {
      storage: flags.storage === 'memory' ? ('memory' as const) : ('file' as const),
      maxMessages: flags['max-messages'],
      maxBytes: readFlag('max-bytes', flags['max-bytes'], size('1B', LARGEST_SIZE, '500MiB')),
      maxAgeMs: age('max-age'),
      duplicateWindowMs: age('duplicate-window'),
      discard: flags.discard === 'new' ? ('new' as const) : ('old' as const),
      bucketMaxBytes: readFlag(
        'bucket-max-bytes',
        flags['bucket-max-bytes'],
        size('64KiB', LARGEST_SIZE, '64MiB'),
      ),
    };
    const config = this.loadSettings(flags);
    const connection = await this.connect(config, 'stream create');
    try {
      const { layout, hadStream, concerns } = await createTopology(connection, config, limits);
      this.warnOf(concerns, ALL_USES);
      const { stream, bucket, replicas } = config;
      if (flags.json) {
        this.writeJson({
          created: {
            stream: hadStream ? null : stream,
            bucket,
            prefix: layout.prefix,
            partitions: layout.partitions,
            replicas,
          },
        });
      } else {
        this.writeLines([
          hadStream
            ? `Created bucket ${bucket}: stream ${stream} existed, with ${layout.partitions} partitions, and is unchanged.`
            : `Created stream ${stream} with ${layout.partitions} partitions of ${layout.prefix}.p.N, and bucket ${bucket}.`,
        ]);
      }
    } finally {
      await connection.close();
    }
  }
}
