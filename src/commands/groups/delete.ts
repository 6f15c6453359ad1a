import { connectionFlags } from '../../cli/base-command.js';
import { forceFlag } from '../../cli/flag.js';
import { deadSessions, deleteGroup } from '../../cli/groups/delete-group.js';
import { missingGroup } from '../../cli/groups/missing-group.js';
import { Args } from '../../cli/oclif.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import { configOf } from '../../core/config/config-of.js';
import { countOf } from '../../core/lib/units.js';
import { findGroups } from '../../core/nats/stream/existing-bucket.js';

/** `natspoc groups delete`: deletes a group, and leaves its stream unchanged. */
export default class GroupsDelete extends StreamCommand {
  static override summary =
    "Delete a group: its leases, positions, pins and pauses, and a keyed group's layout.";
  static override description =
    prose(`The stream, its messages, the layout of the stream, other groups and dead letters are left alone. A group with
members that are alive is never deleted: stop these members first. If the group is started again, it is a new group and starts where
--from specifies. To keep its positions, run "natspoc groups export NAME" first.

Asks for the name of the group; --force skips the question.`);
  static override examples = [
    '<%= config.bin %> <%= command.id %> trial',
    {
      description: 'In a script, after saving its positions:',
      command:
        '<%= config.bin %> groups export trial > trial.json && <%= config.bin %> <%= command.id %> trial --yes',
    },
  ];
  static override args = {
    name: Args.string({ description: 'the group to delete', name: 'NAME', required: true }),
  };
  static override flags = { force: forceFlag, ...connectionFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(GroupsDelete);
    const group = args.name;
    await this.withConnection(flags, 'groups delete', async (config, connection) => {
      const known = await findGroups(connection, config);
      if (!known.includes(group)) throw missingGroup(config, group, known);
      const stream = await StreamAdmin.open(connection, configOf(config, group));
      // Check before the question, so that the user is not asked in vain.
      await deadSessions(stream, group, 'deleted');
      const positions = await stream.group().observer.positions();
      const consequences = [
        `Group ${group} of stream ${config.stream} will be deleted, with ${countOf(positions.length, 'position')}.`,
        'The stream, its messages and dead letters stay.',
      ];
      await this.confirm({ consequences, name: group, force: flags.force });
      const deleted = await deleteGroup(stream, group);
      if (flags.json) this.writeJson({ deleted: { stream: config.stream, group, entries: deleted } });
      else this.writeLines([`Deleted group ${group} of stream ${config.stream}.`]);
    });
  }
}
