import { connectionFlags } from '../../cli/base-command.js';
import { AllGroups } from '../../cli/groups/all-groups.js';
import { readGroups } from '../../cli/groups/overview.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { deadLetterNotes } from '../../text/dead-letter-lines.js';
import { formatGroups, groupRowJson } from '../../text/groups-table.js';

/** `natspoc groups`: the groups of a stream. */
export default class GroupsList extends StreamCommand {
  static override aliases = ['groups'];
  static override summary = 'List the groups of a stream, with their members, lag and last commit.';
  static override description =
    prose(`One line per group: its members, its owned partitions, the number of waiting messages and the age of the oldest of
them, the time since its last commit, and the key of a keyed group.

A line that starts with "!" needs attention: the group has no members, its layout cannot be read, or a position is wrong ("natspoc
leases check --group NAME" gives the reason). A group is idle if its last members left after a bounded job ("consume
--until-caught-up"). Only the groups of one bucket are listed (--bucket). The number of dead letters is shown below the table.`);
  static override examples = [
    '<%= config.bin %> groups --stream ORDERS',
    {
      description: 'Groups without members, with jq:',
      command: `<%= config.bin %> groups --json | jq -r '.groups[] | select(.state == "no-members") | .group'`,
    },
  ];
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(GroupsList);
    await this.withConnection(flags, 'groups', async (config, connection) => {
      const all = new AllGroups(connection, config);
      const groups = await readGroups(all);
      const deadLetters = await all.deadLetters();
      const { stream, bucket } = config;
      if (flags.json) this.writeJson({ stream, bucket, groups: groups.map(groupRowJson), deadLetters });
      else if (groups.length === 0)
        this.writeLines([`Stream ${stream} has no groups yet: "natspoc consume" creates one.`]);
      else {
        this.writeLines(formatGroups(groups, this.columns));
        for (const note of deadLetterNotes(deadLetters)) this.note(note);
      }
    });
  }
}
