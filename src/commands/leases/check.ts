import { setTimeout as sleep } from 'node:timers/promises';
import { connectionFlags } from '../../cli/base-command.js';
import { countFlag, LONGEST_WAIT, readFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import type { FailureOptions } from '../../cli/report-error.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { checkSettings, muteNotes, resizeNotes, settingNotes } from '../../core/admin/check.js';
import type { Finding } from '../../core/admin/finding.js';
import { type GroupStatus, totalsOf } from '../../core/admin/group-status.js';
import { readDeadLetters } from '../../core/admin/stream-status.js';
import { duration } from '../../core/config/parse.js';
import { escapeControl, wrap } from '../../core/lib/text.js';
import {
  absentPinNotes,
  findingTexts,
  formatNagios,
  nagiosExitCode,
  unknownToNagios,
} from '../../text/check-report.js';
import { deadLetterNotes } from '../../text/dead-letter-lines.js';
import { summarise } from '../../text/lease-table.js';

/** With --wait, failed checks are repeated at this interval, in milliseconds. */
const LOOK_AGAIN_MS = 250;

/** The value of the last --format in the raw arguments, which the parser may have refused. */
function formatIn(argv: readonly string[]): string | undefined {
  const at = argv.findLastIndex((arg) => arg === '--format' || arg.startsWith('--format='));
  return argv[at] === '--format' ? argv[at + 1] : argv[at]?.slice('--format='.length);
}

/** `natspoc leases check`: checks for monitoring whether a group is healthy. */
export default class LeasesCheck extends StreamCommand {
  static override summary =
    'Check a group for monitoring: exit code 5 and the reasons when it is not healthy.';
  static override description = [
    'Finds halted partitions, and partitions that have no owner, or whose owner is gone or does not answer. Finds members that have not renewed their session, paused partitions, and loads that differ by more than one partition. Finds settings of the stream or bucket that lose messages: with such settings members refuse to start. Settings that may lose messages are listed as notes. With --max-lag, --max-age and --stalled the check also finds waiting messages and partitions without progress.',
    'With --format nagios the check prints one line in the form of monitoring plugins, and uses their exit codes: 0 ok, 1 warning, 2 critical, 3 unknown.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %> --max-lag 10000 --stalled 1m',
    {
      description: 'Give a rebalance time to finish:',
      command: '<%= config.bin %> <%= command.id %> --wait 15s',
    },
    { description: 'As a Nagios plugin:', command: '<%= config.bin %> <%= command.id %> --format nagios' },
  ];
  static override flags = {
    'max-lag': countFlag({
      description: 'fail if more messages than this wait in one partition',
      min: 0,
      helpValue: 'N',
    }),
    'max-age': Flags.string({
      description: 'fail if a message has waited longer than this',
      helpValue: 'DURATION',
    }),
    stalled: Flags.string({
      description: 'fail if a message has waited this long while nothing was committed',
      helpValue: 'DURATION',
    }),
    'allow-paused': Flags.boolean({ description: 'do not warn of partitions that an operator has paused' }),
    wait: Flags.string({
      description: 'repeat a failed check for up to this long [default 0s]',
      helpValue: 'DURATION',
    }),
    format: Flags.string({
      description: 'output format [default text]',
      options: ['text', 'json', 'nagios'],
      helpValue: 'text|json|nagios',
    }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(LeasesCheck);
    const stalledMs = readFlag('stalled', flags.stalled, duration('0s', LONGEST_WAIT, '1m'));
    const maxAgeMs = readFlag('max-age', flags['max-age'], duration('0s', LONGEST_WAIT, '1m'));
    const waitMs = readFlag('wait', flags.wait, duration('0s', LONGEST_WAIT, '15s')) ?? 0;
    const format = flags.json ? 'json' : (flags.format ?? 'text');
    const { status, findings, notes, title } = await this.withGroup(
      flags,
      'leases check',
      async ({ config, stream, group }) => {
        const deadline = performance.now() + waitMs;
        for (;;) {
          const status = await group.status();
          const findings = [
            ...checkSettings(stream.concerns),
            ...(await group.check(status, {
              maxLag: flags['max-lag'],
              maxAgeMs,
              stalledMs,
              allowPaused: flags['allow-paused'],
            })),
          ];
          if (findings.length === 0 || performance.now() >= deadline) {
            const title = `${config.stream}, group ${group.name}`;
            const dead = await readDeadLetters(group.observer);
            const notes = [
              ...settingNotes(stream.concerns),
              ...muteNotes(status),
              ...resizeNotes(status),
              ...absentPinNotes(status),
              ...deadLetterNotes(dead),
            ];
            return { status, findings, notes, title };
          }
          await sleep(LOOK_AGAIN_MS);
        }
      },
    );
    this.#report(format, title, status, findings, notes);
  }

  /** Errors have the requested format, even if the flags cannot be parsed. */
  protected override failureOptions(): FailureOptions {
    const format = formatIn(this.argv);
    const options = super.failureOptions();
    if (format === 'json') return { ...options, json: true };
    return format === 'nagios' && !options.json ? { ...options, report: unknownToNagios } : options;
  }

  #report(
    format: string,
    group: string,
    status: GroupStatus,
    findings: readonly Finding[],
    notes: readonly string[],
  ): void {
    if (format === 'nagios') {
      this.writeLines([formatNagios(group, status, findings)]);
      process.exitCode = nagiosExitCode(findings);
      return;
    }
    process.exitCode = findings.length > 0 ? 5 : 0;
    if (format === 'json') {
      this.writeJson({
        ok: findings.length === 0,
        totals: totalsOf(status),
        findings,
        notes,
      });
      return;
    }
    const verdict = findings.length === 0 ? 'healthy' : 'NOT HEALTHY';
    this.writeLines([
      ...wrap(`${group}: ${verdict}, ${summarise(status)}`, this.columns ?? Number.POSITIVE_INFINITY),
      ...findingTexts(findings).map(
        ({ severity, message }) => `  ${severity.padEnd(8)}  ${escapeControl(message)}`,
      ),
      ...notes.map((message) => `  ${'note'.padEnd(8)}  ${escapeControl(message)}`),
    ]);
  }
}
