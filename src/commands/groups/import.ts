import { connectionFlags } from '../../cli/base-command.js';
import { type GroupFile, parseGroupFile } from '../../cli/groups/group-file.js';
import { openGroupStore } from '../../cli/groups/group-store.js';
import { type ImportStep, planImport } from '../../cli/groups/import-groups.js';
import { writeGroup } from '../../cli/groups/write-group.js';
import { Args, Flags } from '../../cli/oclif.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { NatspocError } from '../../core/lib/errors.js';
import { readSmallFile, UnreadableFile } from '../../core/lib/small-file.js';
import { escapeControl } from '../../core/lib/text.js';
import { countOf, formatCount } from '../../core/lib/units.js';
import { isId } from '../../core/protocol/record-format.js';

/** Maximum size of a file. */
const LIMIT_BYTES = 256 * 1_048_576;

/** `natspoc groups import`: sets the positions of groups from a file of `groups export`. */
export default class GroupsImport extends StreamCommand {
  static override summary = 'Set the positions of groups from a file of "groups export".';
  static override description =
    prose(`The command checks the file before it writes: the file must be complete, no group in the file may have members, and its
partitions and positions must be those of this stream. The command creates a missing bucket. A position beyond the end of the stream is
always refused.

The positions of an existing group are replaced. On a terminal the command first asks for the name of the stream; elsewhere --yes is
needed.`);
  static override examples = [
    { description: 'After the bucket was lost:', command: '<%= config.bin %> <%= command.id %> groups.json' },
    {
      description: 'Only check:',
      command: '<%= config.bin %> <%= command.id %> groups.json --dry-run',
    },
  ];
  static override args = {
    file: Args.string({ description: 'the file; - for standard input', name: 'FILE', required: true }),
  };
  static override flags = {
    as: Flags.string({
      description: 'another name for the group, if the file holds one group',
      helpValue: 'NAME',
    }),
    'dry-run': Flags.boolean({ description: 'only check, and show the effect' }),
    force: Flags.boolean({
      description:
        'accept a stream that was created at another time, if its messages have the same sequences',
    }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(GroupsImport);
    const file = renamed(parseGroupFile(await readBytes(args.file), args.file), flags.as);
    await this.withConnection(flags, 'groups import', async (config, connection) => {
      const store = await openGroupStore(connection, config);
      const steps = await planImport({ connection, config, store }, file, flags.force);
      const replaced = steps.filter(({ exists }) => exists).map(({ group }) => group);
      const { stream, bucket } = config;
      if (!flags['dry-run']) {
        if (replaced.length > 0) {
          const consequences = [`The positions of ${replaced.join(', ')} will be replaced.`];
          await this.confirm({ consequences, name: stream, force: flags.yes, flag: '--yes' });
        }
        if (await store.create()) this.note(escapeControl(`Created bucket ${bucket}.`));
        for (const group of file.groups) await writeGroup(store, group);
      }
      if (flags.json) this.writeJson({ dryRun: flags['dry-run'], stream, groups: steps });
      else this.writeLines(steps.map((step) => describe(step, flags['dry-run'])));
    });
  }
}

function describe({ group, positions, reset, exists }: ImportStep, isDry: boolean): string {
  const what = `${group}: ${countOf(positions, 'position')}`;
  if (!exists) return `${what} ${isDry ? 'would be set' : 'set'}`;
  const done = isDry ? 'would replace the existing ones' : 'replaced';
  const also = isDry ? 'would be reset' : 'reset';
  return `${what} ${done}${reset === 0 ? '' : `, ${formatCount(reset)} ${also} to the start of the group`}`;
}

/** @throws NatspocError `usage` if the file cannot be read. */
async function readBytes(name: string): Promise<Buffer> {
  if (name === '-') return readInput();
  try {
    return readSmallFile(name, { limitBytes: LIMIT_BYTES, pipes: true });
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new NatspocError('usage', `${name}: ${error.message}.`, { cause: error });
  }
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > LIMIT_BYTES)
      throw new NatspocError('usage', `-: the input is larger than ${LIMIT_BYTES} bytes.`);
  }
  return Buffer.concat(chunks);
}

function renamed(file: GroupFile, name: string | undefined): GroupFile {
  if (name === undefined) return file;
  const [only, ...more] = file.groups;
  if (!only || more.length > 0)
    throw new NatspocError(
      'usage',
      `--as needs a file with one group, and this file has ${file.groups.length}.`,
    );
  if (!isId(name))
    throw new NatspocError('usage', `--as: ${JSON.stringify(name)} is not the name of a group.`);
  return { ...file, groups: [{ ...only, group: name }] };
}
