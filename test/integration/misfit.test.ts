import assert from 'node:assert/strict';
import type { StreamConfig } from 'nats';
import { type CliExit, runCli, stopAll } from '../support/cli.js';
import { withManager } from '../support/with-manager.js';

/** With a stream and a bucket that do not match, these commands could destroy data, or continue as if nothing were wrong. */
const COMMANDS = [
  'stream trim --force',
  'stream purge --force',
  'stream delete --force',
  'leases seek --all --to first --force',
  'leases release --all',
  'leases check',
  'stream',
  'publish x',
  'consume --until-caught-up',
];

describe('a stream and a bucket that do not belong together', function () {
  this.timeout(60_000);
  const at = withManager();
  const { server } = at;
  let streams = 0;
  let stream = '';

  afterEach(stopAll);
  beforeEach(async () => {
    stream = `M${++streams}`;
    await ok('publish', 'x', '--count', '20', '--prefix', stream);
    await ok('consume', '--until-caught-up', '--output', 'none');
  });

  const bucket = () => `KV_${stream}_leases`;
  const natspoc = (...args: string[]): Promise<CliExit> =>
    runCli([...args, '--stream', stream], { env: { NATS_URL: server.url } });
  async function ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await natspoc(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  const stateOf = () =>
    Promise.all(
      [stream, bucket()].map(async (name) => {
        const { messages, last_seq } = (await at.manager.streams.info(name)).state;
        return [name, messages, last_seq];
      }),
    );
  async function allRefuse(commands: readonly string[], code: number, message: RegExp): Promise<void> {
    const exits = await Promise.all(commands.map((command) => natspoc(...command.split(' '))));
    for (const [index, exit] of exits.entries()) {
      const command = commands[index];
      assert.equal(exit.code, code, `${command}: ${exit.stdout}${exit.stderr}`);
      assert.match(exit.stderr, message, command);
      assert.equal(exit.stderr.split('\n').length, 1, command);
    }
  }

  it('every command names a stream and a bucket whose layouts differ, and changes nothing', async () => {
    const { config } = await at.manager.streams.info(stream);
    const description = config.description?.replace('"partitions":8', '"partitions":6') ?? '';
    await at.manager.streams.update(stream, { ...config, description } as Partial<StreamConfig>);
    const before = await stateOf();
    await allRefuse(
      COMMANDS,
      4,
      /^Error: Stream M\d+ was created with 6 partitions of M\d+, but bucket M\d+_leases says 8 partitions of M\d+\. Choose the bucket .* --bucket/,
    );
    assert.deepEqual(await stateOf(), before);
  });

  it('a missing bucket is reported, and created again with the layout of the stream', async () => {
    await at.manager.streams.delete(bucket());
    const looking = COMMANDS.filter((command) => !/^(publish|consume)/.test(command));
    await allRefuse(
      looking,
      1,
      /^Error: Stream M\d+ has no bucket M\d+_leases: .*"natspoc stream create --stream M\d+" creates it\./,
    );
    assert.equal((await at.manager.streams.info(stream)).state.messages, 20);
    await ok('stream', 'create');
    const { layout, messages, groups } = JSON.parse(await ok('stream', '--json'));
    assert.deepEqual([layout.partitions, layout.prefix, messages, groups], [8, stream, 20, []]);
    // The new bucket has no positions, so no message counts as handled.
    await allRefuse(
      ['stream trim --force'],
      1,
      /^Error: No group reads stream M\d+: nothing counts as handled\./,
    );
    const again = await natspoc('consume', '--until-caught-up', '--output', 'ndjson');
    assert.equal(again.stdout.split('\n').length, 20);
  });

  it('messages of a recreated stream do not count as handled, and none of them is deleted', async () => {
    const { config } = await at.manager.streams.info(stream);
    await at.manager.streams.delete(stream);
    await at.manager.streams.add(config);
    await ok('publish', 'y', '--count', '8');
    const { groups } = JSON.parse(await ok('stream', '--json'));
    assert.equal(groups[0].lag, null);
    await natspoc('stream', 'trim', '--force');
    assert.equal((await at.manager.streams.info(stream)).state.messages, 8);
  });
});
