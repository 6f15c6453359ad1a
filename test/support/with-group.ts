import type { SettingName } from '../../src/core/config/settings.js';
import { type CliExit, runCli, stopAll } from './cli.js';
import { GroupRun } from './group-run.js';
import { type TestServer, withServer } from './server.js';
import { withTempFolder } from './temp.js';

/**
 * Returns one server for all tests of a suite. Call this inside `describe`. Before each test, `opened` gets a group with the settings
 * `given`, on its own stream. After each test, every command that still runs is killed.
 */
export function withGroup(
  opened: (run: GroupRun) => void,
  given: Partial<Record<SettingName, string>> = {},
): TestServer {
  const server = withServer();
  const folder = withTempFolder();
  let run: GroupRun | undefined;
  beforeEach(async () => {
    run = await GroupRun.open(server.url, folder(), given);
    opened(run);
  });
  afterEach(async () => {
    await stopAll();
    await run?.close();
    run = undefined;
  });
  return server;
}

/** Like {@link withGroup}, for a group of one partition. Returns a function that runs commands for it. */
export function withOnePartition(opened: (run: GroupRun) => void): (...args: string[]) => Promise<CliExit> {
  let args: readonly string[] = [];
  const server = withGroup(
    (run) => {
      ({ args } = run);
      opened(run);
    },
    { partitions: '1' },
  );
  return (...given) => runCli([...given, ...args, '--server', server.url]);
}
