import { connectionFlags } from '../../cli/base-command.js';
import { forceFlag } from '../../cli/flag.js';
import { hasSessions } from '../../cli/groups/delete-group.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand, type StreamSession } from '../../cli/stream-command.js';
import type { PositionFault } from '../../core/admin/position-fault.js';
import { stillPermitted, type TrimStep } from '../../core/admin/trim.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { escapeControl, shellWord } from '../../core/lib/text.js';
import { countOf, formatCount } from '../../core/lib/units.js';
import { formatTable } from '../../text/table.js';

/** `natspoc stream trim`: deletes messages that every group has handled. */
export default class StreamTrim extends StreamCommand {
  static override summary = 'Delete the messages that every group has handled, partition by partition.';
  static override description =
    'If a group has no position or a wrong position in a partition ("leases check" gives the reason), no message of that partition is deleted. Only the groups of one bucket (--bucket) are considered: a group whose leases are in another bucket loses messages that it has not handled. The command shows the effect and asks for the name of the stream; --force skips the question. The command also removes the entries of ended sessions from the bucket, two hours after the end of each session. Members with the permission remove these entries, too.';
  static override examples = [
    { description: 'Only show the effect:', command: '<%= config.bin %> <%= command.id %> --dry-run' },
    { description: 'In a cron job:', command: '<%= config.bin %> <%= command.id %> --force --json' },
  ];
  static override flags = {
    'dry-run': Flags.boolean({ description: 'only show what would be deleted' }),
    'except-group': Flags.string({
      description: 'ignore this group; may be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    force: forceFlag,
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(StreamTrim);
    await this.withStream(
      flags,
      'stream trim',
      async (session) => {
        const { config, stream } = session;
        const except = flags['except-group'] ?? [];
        let { groups, ignored } = await this.#groups(session, except);
        let steps = await stream.planTrim(groups);
        const total = steps.reduce((sum, { messages }) => sum + messages, 0);
        const abandoned = await this.#abandoned(session, steps);
        if (!flags.json) this.#show(steps, abandoned);
        if (flags['dry-run']) {
          if (flags.json) this.writeJson({ dryRun: true, deleted: 0, sweptSessions: 0, partitions: steps });
          else if (total === 0) this.writeLines(['', 'Nothing to delete.']);
          return;
        }
        if (total > 0 && !flags.force) {
          const every = `every group${ignored.length > 0 ? ` except ${escapeControl(ignored.join(', '))}` : ''}`;
          const consequences = [
            `${formatCount(total)} messages of stream ${config.stream} will be deleted; ${every} has handled them.`,
          ];
          await this.confirm({ consequences, name: config.stream, force: flags.force });
          // While the command waited for the answer, a group can have begun, and a seek can have moved a group back.
          ({ groups } = await this.#groups(session, except));
          steps = stillPermitted(steps, await stream.planTrim(groups));
        }
        const deleted = await stream.trim(steps, groups);
        const sweptSessions = await this.#sweep(session);
        if (flags.json) this.writeJson({ dryRun: false, deleted, sweptSessions, partitions: steps });
        else {
          this.writeLines([
            '',
            total === 0 ? 'Nothing to delete.' : `Deleted ${formatCount(deleted)} messages.`,
          ]);
          if (sweptSessions > 0) {
            this.writeLines([`Removed the entries of ${formatCount(sweptSessions)} ended sessions.`]);
          }
        }
      },
      [],
      true,
    );
  }

  /** Removes the entries of ended sessions of all groups. A failure causes only a warning, because the messages are already deleted. */
  async #sweep({ stream }: StreamSession): Promise<number> {
    try {
      return await stream.sweep();
    } catch (error) {
      this.note(`Warning: ${messageOf(error)}`);
      return 0;
    }
  }

  /** The groups that the trim considers, and the groups that it ignores. */
  async #groups(
    { config, stream }: StreamSession,
    except: readonly string[],
  ): Promise<{ groups: string[]; ignored: string[] }> {
    const all = await stream.groups();
    const groups = all.filter((group) => !except.includes(group));
    if (groups.length > 0) return { groups, ignored: all.filter((group) => except.includes(group)) };
    throw new NatspocError(
      'failed',
      `No group reads stream ${config.stream}: nothing counts as handled. "stream purge" deletes messages anyway.`,
    );
  }

  /** Groups without members that hold messages back, each with their number. */
  async #abandoned({ stream }: StreamSession, steps: readonly TrimStep[]): Promise<Map<string, number>> {
    const held = new Map<string, number>();
    for (const { heldBackBy, kept } of steps)
      if (heldBackBy !== null && kept > 0) held.set(heldBackBy, (held.get(heldBackBy) ?? 0) + kept);
    for (const group of [...held.keys()]) if (await hasSessions(stream, group)) held.delete(group);
    return held;
  }

  #show(steps: readonly TrimStep[], abandoned: ReadonlyMap<string, number>): void {
    this.writeLines(
      formatTable(
        [
          { title: 'PARTITION' },
          { title: 'DELETE', align: 'right' },
          { title: 'UP TO', align: 'right' },
          { title: 'KEEP', align: 'right' },
          { title: 'HELD BACK BY' },
        ],
        steps.map(({ partition, messages, upTo, kept, heldBackBy, fault }) => [
          `p${partition}`,
          formatCount(messages),
          upTo === null ? '-' : String(upTo),
          formatCount(kept),
          kept > 0 ? describeHolder(heldBackBy, fault) : '-',
        ]),
      ),
    );
    for (const [group, kept] of abandoned)
      this.writeLines([
        `Group ${group} has no members and holds back ${countOf(kept, 'message')}: "natspoc groups delete ${shellWord(group)}" deletes it, "--except-group ${shellWord(group)}" ignores it.`,
      ]);
  }
}

/** The faults of positions, in a few words. */
const FAULTS: Record<PositionFault, string> = {
  'beyond-end': 'position beyond the end',
  'other-stream': 'position of another stream',
  broken: 'position unreadable',
  newer: 'position of a newer natspoc',
};

/** The group that holds a partition back, and the fault of its position, if any. */
const describeHolder = (group: string | null, fault: PositionFault | null): string =>
  group === null ? '-' : `${escapeControl(group)}${fault === null ? '' : `: ${FAULTS[fault]}`}`;
