import { connectionFlags } from '../../cli/base-command.js';
import { exportGroups } from '../../cli/groups/export-groups.js';
import { groupFileJson } from '../../cli/groups/group-file.js';
import { Args } from '../../cli/oclif.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';

/** `natspoc groups export`: writes the positions of groups to stdout. */
export default class GroupsExport extends StreamCommand {
  static override summary = 'Write the positions of a group, or of all groups, to stdout as JSON.';
  static override description =
    prose(`The file holds the positions of all partitions. A position is a sequence of the stream, stored with times that
identify the stream. The file also holds the place where each group starts, and the layout of a keyed group. Import the file
with "natspoc groups import" to restore a lost bucket, to copy a group, or to continue in another cluster that has the same messages at
the same sequences. Leases, pins and pauses are not in the file.

Members may run during the export. Messages that the members handle after the export are handled again after an import.`);
  static override examples = [
    '<%= config.bin %> <%= command.id %> > groups.json',
    {
      description: 'A copy of a group under another name:',
      command:
        '<%= config.bin %> <%= command.id %> billing | <%= config.bin %> groups import - --as billing-2',
    },
  ];
  static override args = {
    name: Args.string({
      description: 'the group, also as --group; default: all groups of the stream',
      name: 'NAME',
    }),
  };
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(GroupsExport);
    await this.withConnection(flags, 'groups export', async (config, connection) => {
      this.writeJson(groupFileJson(await exportGroups(connection, config, args.name ?? flags.group)));
    });
  }
}
