import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config, Plugin } from '@oclif/core/config';
import { run as runOclif } from '@oclif/core/run';
import { endSoon, untilRead, watchOutput } from './ending.js';
import { exitWithError } from './report-error.js';

/**
 * Runs the command line in this process and never throws: an error becomes one line and an exit code.
 *
 * @param entry `import.meta.url` of the file in `bin`.
 * @param overrides `commands`: the folder of the command files, if it is not the built folder.
 */
export async function run(entry: string, overrides: { commands?: string } = {}): Promise<void> {
  const root = join(dirname(fileURLToPath(entry)), '..');
  watchOutput();
  // A closed stderr neither stops the process nor changes its exit code.
  process.stderr.on('error', () => {});
  // If a member runs a user's handler, its own listener handles these errors.
  for (const stray of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(stray, (error: unknown) => {
      if (process.listenerCount(stray) === 1) exitWithError(error, { json: process.argv.includes('--json') });
    });
  }
  try {
    // Pass options, because oclif would load a given configuration a second time.
    const options = overrides.commands
      ? await sourceConfig(root, overrides.commands)
      : { root, enablePerf: false };
    await runOclif(asFlags(process.argv.slice(2)), options);
    await untilRead();
    endSoon();
  } catch (error) {
    exitWithError(error, { json: process.argv.includes('--json'), names: await commandNames(root) });
  }
}

/** Converts `help COMMAND` and `version` to oclif's spelling. */
function asFlags(argv: string[]): string[] {
  const [first, ...rest] = argv;
  if (first === 'help') return [...rest, '--help'];
  return first === 'version' && rest.length === 0 ? ['--version'] : argv;
}

/** The names of all commands. */
async function commandNames(root: string): Promise<string[]> {
  const config = await Config.load({ root, enablePerf: false });
  return [...config.commandIDs, 'help', 'version'].map((id) => id.replaceAll(':', ' '));
}

/** A configuration whose commands are the files of `folder`. */
async function sourceConfig(root: string, folder: string): Promise<Config> {
  const { pjson } = await Config.load({ root, enablePerf: false });
  const changed = { ...pjson, oclif: { ...pjson.oclif, commands: folder } };
  const plugin = new Plugin({ root, pjson: changed, isRoot: true, ignoreManifest: true });
  await plugin.load();
  return Config.load({ root, pjson: changed, plugins: new Map([[plugin.name, plugin]]), enablePerf: false });
}
