import { BaseCommand, connectionFlags, settingFlags } from '../cli/base-command.js';
import { startConsumer } from '../cli/consume/consumer.js';
import { loadHandler } from '../cli/consume/module-handler.js';
import { OUTPUTS, type Output } from '../cli/consume/outputs.js';
import { endInOrder } from '../cli/ending.js';
import { countFlag, LONGEST_PERIOD, LONGEST_WAIT, readFlag } from '../cli/flag.js';
import { Flags } from '../cli/oclif.js';
import { prose } from '../cli/prose.js';
import type { Config } from '../core/config/config.js';
import { duration } from '../core/config/parse.js';
import { NatspocError } from '../core/lib/errors.js';
import { tellRefusals } from '../core/nats/client/refused-credentials.js';

const KEPT = 'partitions are kept for the next member of the same name.';

/** `natspoc consume`: one member of a group, as a stage of a pipe. */
export default class Consume extends BaseCommand {
  static override summary = 'Join a group and handle messages from a share of its partitions.';
  static override description =
    prose(`One member at a time handles a partition, in order. Members share the partitions evenly. When a member
joins, leaves or dies, partitions move automatically.

By default a message counts as handled when its line is written to stdout. --exec runs a command for each message. The command gets the
payload on its standard input, and NATSPOC_PARTITION, _SEQ, _KEY, _EPOCH, _SUBJECT and _ATTEMPT in its environment. Its output goes to
stdout. Exit code 0 means handled; 65 means that the message is invalid and is not tried again. --handler loads a JavaScript or
TypeScript module once and calls its default export: async (message, context) => { ... }. --exec-batch runs the command for up to N
messages of one partition, each a line of NDJSON. A module can export batchHandler = async (messages, context) => { ... }, and the
limits of a batch as batch = { messages, bytes, waitMs }. A batch is handled as a whole or not at all; if its last attempt fails, its
messages are tried one at a time. A message that fails is tried again (--max-attempts, --backoff). If its last attempt fails, --on-failure
decides what happens to the message. A message that will be tried again blocks its partition, or only its key with --concurrency.

A busy member commits the position of a partition every --commit-interval and after --commit-every messages; it commits at once when no
message waits. After a crash, messages that were handled but not committed are handled again. In each partition at most the messages
of one commit interval are repeated, or of two intervals if the lines go to a pipe. A clean exit (Ctrl-C, SIGTERM, a closed terminal)
commits everything, so nothing is repeated. A line in a pipe counts as handled if the pipe still has a reader one commit interval later. If the
reader exits, as in "consume | head -3", the messages of the last interval are handled again.

With --rejoin-within 30s and a --name of its own, a member that gets a signal does not hand over its partitions: they wait up to 30 s for
the next member of the same name. So a rolling restart moves no partition to another member. Do not use --rejoin-within when you scale
down, because no member of that name joins again.

Messages go to stdout, everything else to stderr. --json means --output ndjson, with errors as JSON, too. --json excludes
--output text, and --exec, because the command of --exec writes to stdout itself. Ctrl-C hands over all partitions and exits; a second
Ctrl-C exits immediately.

Exit codes: 0 left cleanly; 1 a partition was halted (--on-failure halt), the handler cannot be run, or its module throws while it loads;
2 usage or configuration, or the file of --handler is missing, cannot be compiled, imports a missing module or exports no handler;
3 cannot reach NATS; 4 refused.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'As a stage of a pipe:',
      command: '<%= config.bin %> <%= command.id %> --output ndjson | jq .key',
    },
    {
      description: 'Read any existing stream; here each customer of orders.CUSTOMER.KIND stays in order:',
      command:
        '<%= config.bin %> <%= command.id %> --stream ORDERS --key subject:2 --partitions 16 --group billing',
    },
    {
      description: 'Another group, starting with new messages:',
      command: '<%= config.bin %> <%= command.id %> --group audit --from new',
    },
    {
      description: 'A command for each message; a message that fails three times becomes a dead letter:',
      command: "<%= config.bin %> <%= command.id %> --exec 'jq .' --on-failure dead-letter",
    },
    {
      description: 'Your own handler for 16 keys of a partition at a time, with metrics for Prometheus:',
      command:
        '<%= config.bin %> <%= command.id %> --handler ./handle.ts --concurrency 16 --health-port 9464',
    },
    {
      description: 'A command for up to 500 messages at once:',
      command: "<%= config.bin %> <%= command.id %> --exec 'psql -f load.sql' --exec-batch 500",
    },
    {
      description: 'A batch job: handle all waiting messages, then leave:',
      command: '<%= config.bin %> <%= command.id %> --group nightly --until-caught-up > events.ndjson',
    },
    {
      description: 'A member that will be restarted in place, for example in a StatefulSet:',
      command: '<%= config.bin %> <%= command.id %> --name worker-3 --rejoin-within 30s',
    },
    {
      description: 'Slow work, to watch a rebalance:',
      command: '<%= config.bin %> <%= command.id %> --work 50ms',
    },
  ];

  static override flags = {
    ...settingFlags(['name'], 'MEMBER'),
    output: Flags.string({
      description:
        'what to write to stdout for each message [default text on a terminal, ndjson in a pipe, none with --exec or --handler]',
      options: [...OUTPUTS],
      helpValue: OUTPUTS.join('|'),
    }),
    exec: Flags.string({
      description: 'run this shell command for each message',
      exclusive: ['handler'],
      helpValue: 'CMD',
    }),
    'exec-batch': countFlag({
      description:
        'run the command of --exec for up to this many messages of a partition, as lines of NDJSON on its standard input',
      dependsOn: ['exec'],
      exclusive: ['work'],
      min: 1,
      max: 65_536,
      helpValue: 'N',
    }),
    handler: Flags.string({
      description: 'call the default export of this JavaScript or TypeScript module for each message',
      helpValue: 'FILE',
    }),
    work: Flags.string({ description: 'pretend to work this long on each message', helpValue: 'DURATION' }),
    count: countFlag({ description: 'leave after this many messages', min: 1, helpValue: 'N' }),
    duration: Flags.string({ description: 'leave after this time', helpValue: 'DURATION' }),
    'until-caught-up': Flags.boolean({
      description:
        'leave when all messages stored before the start, in the partitions of this member, are handled',
    }),
    ...settingFlags(['concurrency', 'maxConcurrency', 'handlerTimeoutMs'], 'HANDLING'),
    ...settingFlags(['maxAttempts', 'maxCrashes', 'backoff', 'onFailure', 'withoutKey'], 'HANDLING'),
    ...settingFlags(['key', 'filter'], 'STREAM AND GROUP'),
    ...settingFlags(['from', 'commitIntervalMs', 'commitEvery'], 'POSITION'),
    ...settingFlags(['ttlMs', 'probeIntervalMs', 'drainTimeoutMs', 'rejoinWithinMs'], 'MEMBER'),
    ...settingFlags(['bufferMessages', 'bufferBytes', 'memoryIntervalMs'], 'MEMBER'),
    ...settingFlags(['healthPort', 'healthHost'], 'MEMBER'),
    ...settingFlags(['logFormat'], 'GLOBAL'),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Consume);
    refuseContradictions(flags);
    const config = this.loadSettings(flags);
    if (config.rejoinWithinMs !== undefined && config.name === undefined)
      throw new NatspocError('usage', `${config.option('rejoinWithinMs')} needs --name: ${KEPT}`);
    const workMs = readFlag('work', flags.work, duration('0s', LONGEST_PERIOD, '50ms')) ?? 0;
    const durationMs = readFlag('duration', flags.duration, duration('0s', LONGEST_WAIT, '10m'));
    // Load the handler first: a member that cannot load it must take no partitions.
    const handler = flags.handler === undefined ? undefined : await loadHandler(flags.handler);
    if (flags['exec-batch'] !== undefined || typeof handler === 'object') refuseInBatches(config, workMs);
    const stop = this.stopSignal();
    endInOrder();
    const connection = await this.connect(config, 'consume');
    tellRefusals(connection, config.authRetryMs, this.note);
    try {
      const consumer = await startConsumer({
        connection,
        config,
        version: this.config.version,
        output: chooseOutput(flags),
        stdout: process.stdout,
        note: this.note,
        workMs,
        exec: flags.exec,
        execBatch: flags['exec-batch'],
        handler,
        count: flags.count,
        durationMs,
        untilCaughtUp: flags['until-caught-up'],
      });
      const leave = () => {
        this.note('leaving: waiting for running handlers; another signal exits immediately');
        // `closed` reports how the member ends.
        consumer.leave({ rejoinWithinMs: config.rejoinWithinMs }).catch(() => {});
      };
      stop.addEventListener('abort', leave, { once: true });
      if (stop.aborted) leave();
      const left = () => stop.removeEventListener('abort', leave);
      consumer.member.closed.then(left, left);
      await consumer.closed;
    } finally {
      await connection.close();
    }
  }
}

/**
 * With --json, refuses flags that would write something other than JSON. Also refuses an empty --exec command, which would do nothing.
 *
 * @throws NatspocError `usage`
 */
function refuseContradictions(flags: {
  output?: string | undefined;
  json?: boolean;
  exec?: string | undefined;
}): void {
  if (flags.exec?.trim() === '') throw new NatspocError('usage', '--exec: the command is empty.');
  if (!flags.json) return;
  if (flags.output === 'text')
    throw new NatspocError('usage', '--json and --output text exclude each other: leave one of them out.');
  if (flags.exec !== undefined) {
    throw new NatspocError(
      'usage',
      '--json and --exec exclude each other: the output of the command goes to stdout unchanged.',
    );
  }
}

/**
 * Refuses flags that have no meaning for batches, because a partition handles one batch at a time.
 *
 * @throws NatspocError `usage`
 */
function refuseInBatches({ concurrency, option }: Config, workMs: number): void {
  if (concurrency > 1) {
    const flag = option('concurrency');
    throw new NatspocError(
      'usage',
      `${flag} must be 1 with batches, because a partition handles one batch at a time: leave it out.`,
    );
  }
  if (workMs > 0)
    throw new NatspocError('usage', '--work is for single messages: leave it out with batches.');
}

/** The chosen output format. The default is `none` if a command or a module handles the messages. */
function chooseOutput(flags: {
  output?: string | undefined;
  json?: boolean;
  exec?: string | undefined;
  handler?: string | undefined;
}): Output {
  const chosen = OUTPUTS.find((known) => known === flags.output);
  if (chosen) return chosen;
  if (flags.json) return 'ndjson';
  if (flags.exec !== undefined || flags.handler !== undefined) return 'none';
  return process.stdout.isTTY ? 'text' : 'ndjson';
}
