import './quiet-oclif.js';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config, Plugin } from '@oclif/core/config';
import { run as runOclif } from '@oclif/core/run';
import { untilRead, watchOutput } from './ending.js';
import { exitWithError } from './report-error.js';

/**
 * Runs the command line in this process and never throws: what goes wrong becomes one line and an exit code.
 *
 * @param entry `import.meta.url` of the file in `bin`.
 * @param overrides `commands`: the folder of the command files, when not the built one.
 */
export async function run(entry: string, overrides: { commands?: string } = {}): Promise<void> {
  const root = join(dirname(fileURLToPath(entry)), '..');
  watchOutput();
  // Notes that nobody reads any more are no reason to stop, and no exit code of their own.
  process.stderr.on('error', () => {});
  // Whoever listens beside us sees to it, such as a member with a handler that is not ours.
  for (const stray of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(stray, (error: unknown) => {
      if (process.listenerCount(stray) === 1) exitWithError(error, { json: process.argv.includes('--json') });
    });
  }
  try {
    // Options rather than a loaded configuration: oclif would load that once more.
    const options = overrides.commands
      ? await sourceConfig(root, overrides.commands)
      : { root, enablePerf: false };
    await runOclif(process.argv.slice(2), options);
    await untilRead();
  } catch (error) {
    exitWithError(error, { json: process.argv.includes('--json') });
  }
}

/** A configuration whose commands are the files of `folder`, whatever a manifest of an earlier build says. */
async function sourceConfig(root: string, folder: string): Promise<Config> {
  const { pjson } = await Config.load({ root, enablePerf: false });
  const changed = { ...pjson, oclif: { ...pjson.oclif, commands: folder } };
  const plugin = new Plugin({ root, pjson: changed, isRoot: true, ignoreManifest: true });
  await plugin.load();
  return Config.load({ root, pjson: changed, plugins: new Map([[plugin.name, plugin]]), enablePerf: false });
}
