import { BaseCommand, connectionFlags, settingFlags } from '../cli/base-command.js';
import { LONGEST_WAIT, readFlag } from '../cli/flag.js';
import { Args, Flags } from '../cli/oclif.js';
import { prose } from '../cli/prose.js';
import { readHeaders } from '../cli/publish/headers.js';
import { chooseInput, type InputRequest, refuseUnusedInput } from '../cli/publish/input.js';
import { publishInput } from '../cli/publish/publish-input.js';
import { failureOf, formatSummary, summaryJson, type Target } from '../cli/publish/report.js';
import type { PublishSummary } from '../cli/publish/run.js';
import { exponent } from '../cli/publish/zipf.js';
import { duration, integer, size } from '../core/config/parse.js';
import { tellRefusals } from '../core/nats/client/refused-credentials.js';

const MAX_KEYS = 10_000_000;
/** The largest possible `max_payload` of a server. */
const LARGEST_SIZE = '64MiB';

/** `natspoc publish`: publishes messages to the partitions of the stream and waits for the confirmation of each. */
export default class Publish extends BaseCommand {
  static override summary = 'Publish messages to the partitions of the stream, each one confirmed.';
  static override description =
    prose(`Sends DATA, the lines of a pipe or a file, or generated messages. A message with a key goes to the key's
partition; messages without a key go to all partitions in turn. Sending stops at --count, --duration, the end of the
input or Ctrl-C. Without --count, --duration, --rate or lines of input, one message is sent. A missing stream, bucket or layout is
created.

DATA, --key, --id and header values are templates: {{Count}}, {{TimeStamp}}, {{Time}}, {{Unix}}, {{UnixNano}}, {{ID}},
{{Random MIN MAX}}.

A message has failed if it is not confirmed within --timeout. For this command the default is 30s, which is enough for a cluster to elect
a new leader, or for a server to restart.

Exit codes: 0 every message was confirmed; 1 stopped before all messages were confirmed; 3 the server was unreachable for longer than
--timeout; 4 a message was refused or not confirmed.`);
  static override examples = [
    {
      description: '100 messages per second until Ctrl-C:',
      command: '<%= config.bin %> <%= command.id %> --rate 100',
    },
    {
      description: '1,000 orders of 50 customers:',
      command: "<%= config.bin %> <%= command.id %> --count 1000 --keys 50 --rate 500 'order {{Count}}'",
    },
    {
      description: 'A million messages as fast as possible, none stored twice:',
      command: '<%= config.bin %> <%= command.id %> --count 1000000 --size 128 --dedupe',
    },
    {
      description: 'Publish to the subjects of an existing stream, in order for each key:',
      command:
        "<%= config.bin %> <%= command.id %> --stream ORDERS --subject 'orders.{{key}}.created' --keys 50 --count 1000 --ordered",
    },
    {
      description: 'Publish lines of JSON, in order for each user:',
      command: 'cat events.ndjson | <%= config.bin %> <%= command.id %> --key-field user.id',
    },
  ];
  static override args = {
    // Without ignoreStdin, oclif reads the whole pipe into the argument.
    data: Args.string({
      ignoreStdin: true,
      description: 'payload, a template; "-" for the lines of standard input',
      name: 'DATA',
    }),
  };
  static override flags = {
    ...settingFlags(['rate', 'maxPendingMessages']),
    count: Flags.string({ description: 'stop after this many messages', helpValue: 'N' }),
    duration: Flags.string({ description: 'stop after this long, such as 30s', helpValue: 'TIME' }),
    size: Flags.string({
      description: 'generate payloads of this many bytes, such as 128 or 1KiB',
      helpValue: 'BYTES',
    }),
    file: Flags.string({ description: 'send the lines of a file', helpValue: 'PATH' }),
    key: Flags.string({ description: 'key of each message, a template', helpValue: 'KEY' }),
    keys: Flags.string({ description: 'spread the messages over this many generated keys', helpValue: 'N' }),
    'key-skew': Flags.string({
      description: "choose among --keys by Zipf's law with this exponent; about 1 is typical",
      helpValue: 'S',
    }),
    'key-field': Flags.string({
      description: 'the lines are JSON, and the key is at this path',
      helpValue: 'a.b',
    }),
    'skip-bad-lines': Flags.boolean({
      description: 'with --key-field: skip and count lines without a key instead of stopping',
    }),
    partition: Flags.string({ description: 'send all messages to this partition', helpValue: 'N' }),
    subject: Flags.string({
      description:
        'publish to a subject of an existing stream, a template such as orders.{{key}}.created; {{key}} is the key',
      helpValue: 'SUBJECT',
      exclusive: ['partition'],
    }),
    header: Flags.string({
      char: 'H',
      description: 'add a header; its value is a template',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME:VALUE',
    }),
    dedupe: Flags.boolean({ description: 'give each message an id, so that a retry is never stored twice' }),
    ordered: Flags.boolean({
      description:
        'keep each partition in order even if the leader of a cluster dies: one message per partition in flight',
    }),
    id: Flags.string({
      description: 'message id, a template; a message with a known id is not stored again',
      helpValue: 'ID',
    }),
    'keep-going': Flags.boolean({ description: 'continue after a failed message, and count failures' }),
    confirmed: Flags.string({
      description: 'write a line of JSON for each confirmed message to this file',
      helpValue: 'FILE',
    }),
    quiet: Flags.boolean({ char: 'q', description: 'print nothing unless something failed' }),
    ...settingFlags(['logFormat'], 'GLOBAL'),
    ...connectionFlags,
  };

  protected override readonly ownFlags = ['key'];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Publish);
    const config = this.loadSettings(flags);
    const request: InputRequest = {
      data: args.data,
      file: flags.file,
      sizeBytes: readFlag('size', flags.size, size('0B', LARGEST_SIZE, '1KiB')),
      key: flags.key,
      keys: readFlag('keys', flags.keys, integer(1, MAX_KEYS)),
      keySkew: readFlag('key-skew', flags['key-skew'], exponent),
      keyField: flags['key-field'],
      skipBadLines: flags['skip-bad-lines'],
      dedupe: flags.dedupe,
      partition: readFlag('partition', flags.partition, integer(0, 65_535)),
      headers: readHeaders(flags.header),
      id: flags.id,
    };
    const maxMessages = readFlag('count', flags.count, integer(1, Number.MAX_SAFE_INTEGER));
    const durationMs = readFlag('duration', flags.duration, duration('1ms', LONGEST_WAIT, '30s'));
    const stdin = { stream: process.stdin, fd: 0 };
    const input = chooseInput(request, stdin);
    const signal = this.stopSignal();

    const peeked = input.kind === 'lines' ? undefined : refuseUnusedInput(stdin);
    const [connection] = await Promise.all([this.connect(config, 'publish'), peeked]);
    tellRefusals(connection, config.authRetryMs, this.note);
    try {
      const { summary, target } = await publishInput({
        connection,
        config,
        input,
        partition: request.partition,
        subject: flags.subject,
        confirmed: flags.confirmed,
        maxMessages,
        durationMs,
        dedupe: request.dedupe,
        ordered: flags.ordered,
        onFailure: flags['keep-going'] ? 'continue' : 'stop',
        showsProgress: !(flags.quiet || flags.json),
        signal,
        note: this.note,
        warn: (concerns) => this.warnOf(concerns, ['publish']),
      });
      if (!flags.quiet || flags.json || failureOf(summary)) this.#report(summary, target, flags.json);
    } finally {
      await connection.close();
    }
  }

  #report(summary: PublishSummary, target: Target, json: boolean): void {
    const error = failureOf(summary);
    if (json) {
      const shown = error && { code: error.code, message: error.message, exitCode: error.exitCode };
      this.writeJson({ ...summaryJson(summary, target), error: shown ?? null });
      process.exitCode = error?.exitCode ?? 0;
      return;
    }
    // If a flag was refused, a summary would hide the error.
    if (error?.code === 'usage' && summary.confirmed + summary.unknown === 0) throw error;
    this.writeLines(formatSummary(summary, target).split('\n'));
    if (error) throw error;
  }
}
