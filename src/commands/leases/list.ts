import { setTimeout as sleep } from 'node:timers/promises';
import { Chalk } from 'chalk';
import { connectionFlags } from '../../cli/base-command.js';
import { LONGEST_PERIOD, readFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand, type StreamSession } from '../../cli/stream-command.js';
import type { GroupStatus } from '../../core/admin/group-status.js';
import { duration } from '../../core/config/parse.js';
import { wrap } from '../../core/lib/text.js';
import { groupJson } from '../../text/json.js';
import { formatLeases, summarise } from '../../text/lease-table.js';
import { formatMembers } from '../../text/members-table.js';
import { timeOfDay } from '../../text/time-of-day.js';

const DEFAULT_EVERY_MS = 2_000;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** `natspoc leases`: the owner, position and lag of each partition. */
export default class LeasesList extends StreamCommand {
  static override aliases = ['leases'];
  static override summary = 'Show the owner, position and lag of each partition.';
  static override description =
    'Each line shows a partition, its owner, the owner\'s epoch, and how long the owner has had the partition. The next columns show the sequences of the last handled and the last stored message, the number of waiting messages, the age of the oldest of them, and the rate of handling. EXPIRES IN is the time after which the owner counts as dead unless it renews; STATE is the state of the partition. A line that starts with "!" needs attention. On a narrow terminal columns are left out; --json has all of them.';
  static override examples = [
    '<%= config.bin %> leases',
    { description: 'By member:', command: '<%= config.bin %> leases --members' },
    { description: 'Refreshed every 2 seconds:', command: '<%= config.bin %> leases --watch' },
    {
      description: 'Partitions with waiting messages, with jq:',
      command: `<%= config.bin %> leases --json | jq '.partitions[] | select(.lag > 0)'`,
    },
  ];
  static override flags = {
    members: Flags.boolean({ description: 'show one line per member instead' }),
    watch: Flags.boolean({ char: 'w', description: 'refresh the list until Ctrl-C' }),
    every: Flags.string({
      description: 'with --watch: how often to refresh [default 2s]',
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
    await this.withGroup(flags, 'leases', async (session) => {
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
      this.writeJson({ ...at, stream, group, ...groupJson(status) });
      return;
    }
    const screen = process.stdout.isTTY;
    // Each colored line also has the mark "!", for output without color.
    const chalk = new Chalk(screen && !process.env.NO_COLOR ? {} : { level: 0 });
    const width = this.columns;
    const table = flags.members ? formatMembers(status, width) : formatLeases(status, width);
    if (flags.watch && screen) process.stdout.write(CLEAR_SCREEN);
    const shown = [
      ...table,
      '',
      ...wrap(
        `${stream}, group ${group}${flags.watch ? `, ${timeOfDay(Date.now())}` : ''}: ${summarise(status)}`,
        width ?? Number.POSITIVE_INFINITY,
      ),
      ...(flags.watch && !screen ? [''] : []),
    ];
    this.writeLines(shown, (line) => (line.startsWith('!') ? chalk.red(line) : line));
  }
}

/** Resolves with true after the time, or with false if the signal aborts first. */
const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal }).catch(() => false);
