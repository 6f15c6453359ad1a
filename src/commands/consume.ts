import { Flags } from '@oclif/core';
import { BaseCommand, connectionFlags, settingFlags } from '../base-command.js';
import { type Consumer, startConsumer } from '../core/consume/consumer.js';
import { OUTPUTS } from '../core/consume/outputs.js';
import { NatspocError } from '../core/errors.js';
import { parseDuration } from '../core/units.js';

/** `natspoc consume`: one member of a group, as a pipe stage. */
export default class Consume extends BaseCommand {
  static override summary = 'Join a group and handle the events of a share of the partitions.';
  static override description =
    `Each partition is handled by one member at a time, in order. Members share the
partitions evenly; when one joins, leaves or dies, partitions move by themselves.

Messages go to stdout, everything else to stderr. Ctrl-C hands all partitions over and exits; a second Ctrl-C exits
at once. A message is handled when its line is written; after a crash at most --commit-interval of messages are
handled again by the next owner.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'As a stage of a pipe:',
      command: '<%= config.bin %> <%= command.id %> --output ndjson | jq .key',
    },
    {
      description: 'Another group gets everything again, from now on:',
      command: '<%= config.bin %> <%= command.id %> --group audit --from new',
    },
    {
      description: 'Slow work, to watch a rebalance:',
      command: '<%= config.bin %> <%= command.id %> --work 50ms',
    },
  ];

  static override flags = {
    name: Flags.string({
      description: 'name of this member, for people [default HOST-PID]',
      helpValue: 'NAME',
    }),
    output: Flags.string({
      description:
        'what is written to stdout for each message [default text on a terminal, ndjson in a pipe]',
      options: [...OUTPUTS],
      helpValue: OUTPUTS.join('|'),
    }),
    work: Flags.string({ description: 'pretend to work this long on each message', helpValue: 'DURATION' }),
    count: Flags.integer({ description: 'leave after this many messages', min: 1, helpValue: 'N' }),
    duration: Flags.string({ description: 'leave after this time', helpValue: 'DURATION' }),
    ...settingFlags(
      [
        'ttlMs',
        'probeIntervalMs',
        'drainTimeoutMs',
        'from',
        'commitIntervalMs',
        'commitEvery',
        'memoryIntervalMs',
      ],
      'MEMBER',
    ),
    ...settingFlags(['bufferMessages', 'bufferBytes'], 'MEMBER'),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Consume);
    const config = this.loadSettings(flags);
    const ndjson = flags.json || !process.stdout.isTTY;
    const output = OUTPUTS.find((known) => known === flags.output) ?? (ndjson ? 'ndjson' : 'text');
    const stop = this.stopSignal();
    const connection = await this.connect(config, 'consume');
    let consumer: Consumer | undefined;
    try {
      consumer = await startConsumer({
        connection,
        config,
        name: flags.name,
        version: this.config.version,
        output,
        stdout: process.stdout,
        note: (line) => this.note(line),
        workMs: this.#duration('work', flags.work) ?? 0,
        count: flags.count,
        durationMs: this.#duration('duration', flags.duration),
      });
      const leave = () => void consumer?.leave();
      stop.addEventListener('abort', leave, { once: true });
      if (stop.aborted) leave();
      await consumer.closed;
    } finally {
      await connection.close();
    }
  }

  #duration(flag: string, text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const ms = parseDuration(text);
    if (ms === undefined) {
      throw new NatspocError(
        'usage',
        `--${flag}: ${JSON.stringify(text)} is not a duration such as 250ms, 10s or 2m.`,
      );
    }
    return ms;
  }
}
