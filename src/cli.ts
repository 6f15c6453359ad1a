import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config, flush, run as runOclif } from '@oclif/core';
import { exitWithError } from './report-error.js';

/**
 * Runs the command line in this process and never throws: what goes wrong becomes one line and an exit code.
 *
 * @param entry `import.meta.url` of the file in `bin`.
 * @param overrides `commands`: the folder of the command files, when not the built one.
 */
export async function run(entry: string, overrides: { commands?: string } = {}): Promise<void> {
  const root = join(dirname(fileURLToPath(entry)), '..');
  try {
    const config = await Config.load({ root, enablePerf: false });
    if (overrides.commands) {
      const pjson = structuredClone(config.pjson);
      pjson.oclif.commands = overrides.commands;
      await runOclif(process.argv.slice(2), await Config.load({ root, pjson, enablePerf: false }));
    } else {
      await runOclif(process.argv.slice(2), config);
    }
    await flush();
  } catch (error) {
    exitWithError(error, { json: process.argv.includes('--json') });
  }
}
