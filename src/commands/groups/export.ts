import { connectionFlags } from '../../cli/base-command.js';
import { exportGroups } from '../../cli/groups/export-groups.js';
import { groupFileJson } from '../../cli/groups/group-file.js';
import { Args } from '../../cli/oclif.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { NatspocError } from '../../core/lib/errors.js';
import { escapeControl } from '../../core/lib/text.js';

/** `natspoc groups export`: writes the positions of groups to stdout. */
export default class GroupsExport extends StreamCommand {
  static override summary = 'Write the positions of a group, or of all groups, to stdout as JSON.';
  static override description =
    prose(`The file holds the positions of all partitions. A position is a sequence of the stream, stored with times that
identify the stream. The file also holds the place where each group starts, and the layout of a keyed group. Import the file
with "natspoc groups import" to restore a lost bucket, to copy a group, or to continue in another cluster that has the same messages at
the same sequences. Leases, pins and pauses are not in the file.

Members may run during the export. Messages that the members handle after the export are handled again after an import. If a group is being resized, the file holds its old partitions.
If a group cannot be read, the file holds the other groups, and the exit code is 1.`);
  static override examples = [
    '<%= config.bin %> <%= command.id %> > groups.tmp && mv groups.tmp groups.json',
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
      const name = args.name ?? flags.group;
      const { file, resizing, failures } = await exportGroups(connection, config, name);
      const [failure, ...others] = failures;
      // A copy of one group that cannot be read is no file.
      if (failure && name !== undefined) throw failure;
      this.writeJson(groupFileJson(file));
      for (const group of resizing)
        this.note(
          `Warning: group ${group} is being resized: the file holds its old partitions. Export it again after the resize.`,
        );
      for (const { message } of others) this.note(`Error: ${escapeControl(message)}`);
      if (failure) throw new NatspocError('failed', failure.message, { cause: failure });
    });
  }
}
