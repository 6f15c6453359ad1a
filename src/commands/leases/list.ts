import { setTimeout as sleep } from 'node:timers/promises';
import { Chalk } from 'chalk';
import { connectionFlags } from '../../cli/base-command.js';
import { LONGEST_PERIOD, readFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand, type StreamSession } from '../../cli/stream-command.js';
import type { GroupStatus } from '../../core/admin/group-status.js';
import { duration } from '../../core/config/parse.js';
import { wrap } from '../../core/lib/text.js';
import { formatLeases, groupStatusJson, summarise } from '../../text/lease-table.js';
import { formatMembers } from '../../text/members-table.js';

const DEFAULT_EVERY_MS = 2_000;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** `natspoc leases`: who owns which partition, and how far it is. */
export default class LeasesList extends StreamCommand {
  static override aliases = ['leases'];
  static override summary = 'See who owns which partition, how far it is and what waits.';
  static override description =
    'One line a partition: its owner, the owner\'s epoch and for how long it has held the partition; the last sequence handled, the last one stored, and how many messages wait between; how fast it goes, when the owner is taken for dead unless it renews, and what the partition is doing. Lines that start with "!" need somebody. A narrow terminal leaves columns out; --json has everything.';
  static override examples = [
    '<%= config.bin %> leases',
    { description: 'By member:', command: '<%= config.bin %> leases --members' },
    { description: 'Again and again:', command: '<%= config.bin %> leases --watch' },
    {
      description: 'Partitions that wait, with jq:',
      command: `<%= config.bin %> leases --json | jq '.leases[] | select(.lag > 0)'`,
    },
  ];
  static override flags = {
    members: Flags.boolean({ description: 'one line a member instead' }),
    watch: Flags.boolean({ char: 'w', description: 'list again and again until Ctrl-C' }),
    every: Flags.string({
      description: 'with --watch: how often [default 2s]',
      helpValue: 'DURATION',
      dependsOn: ['watch'],
    }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(LeasesList);
    const everyMs = readFlag('every', flags.every, duration('1ms', LONGEST_PERIOD, '2s')) ?? DEFAULT_EVERY_MS;
    const signal = this.stopSignal();
    process.stdout.on('error', () => process.exit(0));
    await this.withStream(flags, 'leases', async (session) => {
      do {
        this.#show(session, await session.group.status(), flags);
      } while (flags.watch && !signal.aborted && (await pause(everyMs, signal)));
    });
  }

  #show(
    { config }: StreamSession,
    status: GroupStatus,
    flags: { json: boolean; members: boolean; watch: boolean },
  ): void {
    const { stream, group } = config;
    if (flags.json) {
      const at = flags.watch ? { at: new Date().toISOString() } : {};
      this.writeJson(groupStatusJson({ ...at, stream, group }, status));
      return;
    }
    const screen = process.stdout.isTTY;
    // Colour repeats what the mark says, for those who see it.
    const chalk = new Chalk(screen && !process.env.NO_COLOR ? {} : { level: 0 });
    const width = this.columns;
    const table = flags.members ? formatMembers(status, width) : formatLeases(status, width);
    if (flags.watch && screen) process.stdout.write(CLEAR_SCREEN);
    const shown = [
      ...table,
      '',
      ...wrap(
        `${stream}, group ${group}${flags.watch ? `, ${new Date().toISOString()}` : ''}: ${summarise(status)}`,
        width ?? Number.POSITIVE_INFINITY,
      ),
      ...(flags.watch && !screen ? [''] : []),
    ];
    this.writeLines(shown, (line) => (line.startsWith('!') ? chalk.red(line) : line));
  }
}

/** True after the time, false when the signal comes first. */
const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal }).catch(() => false);
