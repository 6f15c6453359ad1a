import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withOwnStream } from '../support/stream-of-its-own.js';
import { withTempFolder } from '../support/temp.js';

describe('natspoc groups export and import', function () {
  this.timeout(60_000);
  const server = withServer();
  const folder = withTempFolder();
  const own = withOwnStream(server, 'I');
  const { env, natspoc, ok } = own;
  let file = '';

  beforeEach(() => {
    file = join(folder(), 'groups.json');
  });
  afterEach(stopAll);

  const refused = (code: number, pattern: RegExp, ...args: string[]): Promise<void> =>
    own.refused(code, pattern, 'groups', 'import', ...args);

  async function deleteStreams(...names: string[]): Promise<void> {
    const connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    for (const name of names) await manager.streams.delete(name);
    await connection.close();
  }

  async function lags(): Promise<Record<string, number>> {
    const { groups }: { groups: { group: string; lag: number }[] } = JSON.parse(await ok('groups', '--json'));
    return Object.fromEntries(groups.map(({ group, lag }) => [group, lag]));
  }

  const save = async (...args: string[]) => writeFileSync(file, await ok('groups', 'export', ...args));
  const publish = (count: number) => ok('publish', '--count', String(count), '--keys', '10', '--quiet');
  const consume = (...args: string[]) => ok('consume', '--output', 'none', ...args);

  it('import restores all groups after the bucket was lost, including keyed groups', async () => {
    await publish(100);
    await consume('--group', 'a', '--until-caught-up');
    await consume('--group', 'b', '--count', '40');
    await consume('--group', 'k', '--key', 'header:Natspoc-Key', '--partitions', '3', '--until-caught-up');
    await consume('--group', 'n', '--from', 'new', '--duration', '0s');
    await publish(20);
    await save();
    const before = await lags();
    assert.deepEqual([before.a, before.b, before.k], [20, 80, 20]);
    await deleteStreams(`KV_${own.name}_leases`);
    assert.equal(
      await ok('groups', 'import', file),
      'a: 8 positions set\nb: 8 positions set\nk: 3 positions set\nn: 0 positions set',
    );
    assert.deepEqual(await lags(), before);
    const [a, k, n] = [
      await natspoc('consume', '--group', 'a', '--until-caught-up', '--output', 'none'),
      await natspoc('consume', '--group', 'k', '--until-caught-up', '--output', 'none'),
      await natspoc('consume', '--group', 'n', '--until-caught-up', '--output', 'none'),
    ];
    for (const { stderr } of [a, k, n]) assert.match(stderr, /left after 20 messages/);
    assert.equal((await natspoc('leases', 'check', '--group', 'a')).code, 0);
  });

  it('import restores what operators have deleted, so that it does not count as lost', async () => {
    await publish(100);
    await consume('--group', 'a', '--until-caught-up');
    assert.match(await ok('stream', 'trim', '--force'), /100 messages/);
    await save();
    await deleteStreams(`KV_${own.name}_leases`);
    await ok('groups', 'import', file);
    await publish(20);
    const { stderr } = await natspoc('consume', '--group', 'a', '--until-caught-up', '--output', 'none');
    assert.match(stderr, /left after 20 messages/);
    assert.doesNotMatch(stderr, /lost in/);
  });

  it('import of a group without positions into a stream that was created again needs --force', async () => {
    await publish(100);
    await consume('--group', 'n', '--from', 'new', '--duration', '0s');
    await save('--group', 'n');
    await ok('groups', 'import', file, '--as', 'same');
    await deleteStreams(own.name, `KV_${own.name}_leases`);
    await publish(150);
    await refused(4, /Group n: its start belongs to a stream that was not created at the same time/, file);
    assert.equal(await ok('groups', 'import', file, '--force'), 'n: 0 positions set');
  });

  it('import replaces positions only with --yes, copies a group with --as, and changes nothing with --dry-run', async () => {
    await publish(50);
    await consume('--group', 'a', '--until-caught-up');
    await consume('--group', 'other', '--count', '1');
    await publish(10);
    await save('--group', 'a');
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).groups.length, 1);
    await consume('--group', 'a', '--until-caught-up');
    assert.equal((await lags()).a, 0);
    assert.match(
      await ok('groups', 'import', file, '--dry-run'),
      /^a: 8 positions would replace the existing ones$/,
    );
    await refused(4, /The positions of a will be replaced\. Nothing was done: add --yes/, file);
    assert.equal((await lags()).a, 0);
    assert.match(await ok('groups', 'import', file, '--yes'), /^a: 8 positions replaced$/);
    const copy = startCli(['groups', 'import', '-', '--as', 'copy'], { env: env(), stdin: 'pipe' });
    copy.child.stdin?.end(readFileSync(file));
    assert.equal((await copy.exited).code, 0);
    assert.deepEqual(await lags(), { a: 10, copy: 10, other: 59 });
    const saved: { groups: { positions: object[] }[] } = JSON.parse(readFileSync(file, 'utf8'));
    saved.groups[0]?.positions.splice(1);
    writeFileSync(file, JSON.stringify(saved));
    assert.match(
      await ok('groups', 'import', file, '--yes'),
      /^a: 1 position replaced, 7 reset to the start of the group$/,
    );
  });

  it('import refuses a group with members, and a file that is not an export', async () => {
    await publish(10);
    await consume('--group', 'a', '--until-caught-up');
    await save();
    const member = startCli(['consume', '--group', 'a', '--output', 'none'], { env: env() });
    await member.tookOver(8);
    await refused(4, /Group a has members: .* cannot be imported/, file, '--yes');
    const saved: { groups: { positions: object[] }[] } = JSON.parse(readFileSync(file, 'utf8'));
    const bad = join(folder(), 'bad.json');
    const wrong: [unknown, RegExp][] = [
      ['', /bad\.json: it is not a file of "natspoc groups export"/],
      [{ ...saved, v: 2 }, /a newer version of natspoc wrote it/],
      [{ ...saved, groups: [...saved.groups, ...saved.groups] }, /it has group a twice/],
      [
        { ...saved, groups: [{ ...saved.groups[0], positions: [{ partition: 8, sequence: 1 }] }] },
        /group 1: \{"partition":8,"sequence":1\} is not a valid position/,
      ],
      [
        { ...saved, groups: [{ ...saved.groups[0], cleared: [{ partition: 8, sequence: 1 }] }] },
        /group 1: \{"partition":8,"sequence":1\} is not a valid deletion/,
      ],
    ];
    for (const [content, pattern] of wrong) {
      writeFileSync(bad, JSON.stringify(content));
      await refused(2, pattern, bad, '--yes');
    }
    await refused(2, /there is no such file/, join(folder(), 'none.json'));
  });

  it('import refuses the positions of another stream unless --force is given, before it writes anything', async () => {
    await publish(60);
    await consume('--group', 'a', '--until-caught-up');
    await consume('--group', 'b', '--count', '5');
    await save();
    await deleteStreams(own.name, `KV_${own.name}_leases`);
    await publish(30);
    await refused(
      4,
      /Group a, p\d: position \d+ is beyond the end of stream I\d+, whose last sequence is 30/,
      file,
      '--force',
    );
    await publish(60);
    await refused(
      4,
      /belongs to a stream that was not created at the same time as stream I\d+\. .* add --force/,
      file,
    );
    assert.deepEqual(await lags(), {});
    await ok('groups', 'import', file, '--force');
    assert.equal(
      (await natspoc('leases', 'check', '--group', 'a', '--json')).stdout.includes('other-stream'),
      false,
    );
    assert.equal((await lags()).a, 30);
  });

  it('import creates a missing bucket only after all checks, and --dry-run creates none', async () => {
    await publish(20);
    await consume('--group', 'a', '--until-caught-up');
    await save();
    const bad = join(folder(), 'bad.json');
    writeFileSync(bad, readFileSync(file, 'utf8').replaceAll(/"sequence": ?\d+/g, '"sequence": 1000'));
    await deleteStreams(`KV_${own.name}_leases`);
    const isThere = async () => !/has no bucket/.test((await natspoc('groups')).stderr);
    await refused(4, /position 1000 is beyond the end of stream/, bad);
    assert.equal(await isThere(), false);
    assert.equal(await ok('groups', 'import', file, '--dry-run'), 'a: 8 positions would be set');
    assert.equal(await isThere(), false);
    const { stdout, stderr } = await natspoc('groups', 'import', file);
    assert.deepEqual([stdout, stderr], ['a: 8 positions set', `Created bucket ${own.name}_leases.`]);
    assert.deepEqual(await lags(), { a: 0 });
  });

  it('a group that is being resized is exported with its old partitions, and a warning', async () => {
    await publish(30);
    await consume('--group', 'a', '--until-caught-up');
    await ok('leases', 'resize', '3', '--group', 'a');
    const { code, stdout, stderr } = await natspoc('groups', 'export');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Warning: group a is being resized: the file holds its old partitions/);
    writeFileSync(file, stdout);
    await deleteStreams(`KV_${own.name}_leases`);
    assert.equal(await ok('groups', 'import', file), 'a: 8 positions set');
    assert.deepEqual(await lags(), { a: 0 });
  });

  it('if a group cannot be read, the other groups are exported, and the error names the group', async () => {
    await publish(30);
    for (const group of ['a', 'b']) await consume('--group', group, '--until-caught-up');
    const connection = await connect({ servers: server.url });
    await connection.jetstream().publish(`$KV.${own.name}_leases.position.a.2`, 'broken');
    await connection.close();
    const { code, stdout, stderr } = await natspoc('groups', 'export');
    assert.equal(code, 1);
    assert.match(stderr, /^Error: Group a: the position of p2 cannot be read; /);
    const { groups }: { groups: { group: string }[] } = JSON.parse(stdout);
    assert.deepEqual(
      groups.map(({ group }) => group),
      ['b'],
    );
    const alone = await natspoc('groups', 'export', 'a');
    assert.deepEqual([alone.code, alone.stdout], [1, '']);
  });
});
