import assert from 'node:assert/strict';
import { connect } from 'nats';
import { startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withOwnStream } from '../support/stream-of-its-own.js';
import { until } from '../support/until.js';

describe('natspoc groups', function () {
  this.timeout(60_000);
  const server = withServer();
  const own = withOwnStream(server, 'G');
  const { env, natspoc, ok, refused } = own;
  afterEach(stopAll);

  interface Row {
    group: string;
    state: string;
    members: number;
    owned: number;
    lag: number;
    key: string | null;
    oldestMs: number | null;
    lastCommitAt: string | null;
  }

  async function groups(): Promise<Row[]> {
    const listed: { groups: Row[] } = JSON.parse(await ok('groups', '--json'));
    return listed.groups;
  }

  const publish = (count: number) => ok('publish', '--count', String(count), '--keys', '10', '--quiet');
  const consumeAll = (...args: string[]) =>
    natspoc('consume', '--until-caught-up', '--output', 'none', ...args);

  it('natspoc groups lists every group with its state and lag, and with the age and the key of its oldest waiting message', async () => {
    await publish(100);
    assert.equal((await consumeAll('--group', 'nightly')).code, 0);
    await publish(20);
    const key = ['--key', 'header:Natspoc-Key', '--partitions', '4'];
    assert.equal((await consumeAll('--group', 'keyed', ...key)).code, 0);
    const running = startCli(['consume', '--group', 'live', '--output', 'none'], { env: env() });
    await until('the group has caught up', async () =>
      (await groups()).some(({ group, lag, owned }) => group === 'live' && lag === 0 && owned === 8),
    );
    const [keyed, live, nightly] = await groups();
    assert.deepEqual(
      [keyed?.group, keyed?.state, keyed?.key, keyed?.lag],
      ['keyed', 'idle', 'header:Natspoc-Key', 0],
    );
    assert.deepEqual([live?.group, live?.state, live?.members, live?.key], ['live', 'running', 1, null]);
    assert.deepEqual([nightly?.group, nightly?.state, nightly?.lag], ['nightly', 'idle', 20]);
    assert.ok(Number(nightly?.oldestMs) > 0 && live?.oldestMs === null);
    assert.ok(Date.parse(String(nightly?.lastCommitAt)) > Date.now() - 60_000);
    const table = (await ok('groups')).split('\n');
    assert.match(table[0] ?? '', /^ {2}GROUP +MEMBERS +OWNED +LAG +OLDEST +LAST COMMIT +KEY +STATE$/);
    assert.match(table[3] ?? '', /^ {2}nightly +0 +0 of 8 +20 .* partitions of the stream +idle$/);
    running.signal('SIGTERM');
    await running.exited;
    assert.match(await ok('groups'), /^! live +0 +0 of 8 .* no members$/m);
  });

  it('a group is idle after a bounded job, until a member without a bounded job joins', async () => {
    await publish(10);
    assert.equal((await consumeAll()).code, 0);
    assert.match(await ok('leases', 'check'), /healthy, 0 members .* idle: its job ended/);
    assert.doesNotMatch(await ok('leases'), /^!|needs attention/m);
    const top: { idle: object | null; health: { ok: boolean }; partitions: { state: string }[] } = JSON.parse(
      await ok('top', '--once', '--json'),
    );
    assert.ok(top.idle && top.health.ok && top.partitions.every(({ state }) => state === 'idle'));
    const member = startCli(['consume', '--output', 'none'], { env: env() });
    await member.tookOver(8);
    member.signal('SIGTERM');
    await member.exited;
    assert.equal((await natspoc('leases', 'check')).code, 5);
    assert.equal((await groups())[0]?.state, 'no-members');
    // After a job that fails or is interrupted, the group is not idle.
    const failed = await consumeAll('--group', 'failed', '--exec', 'false', '--max-attempts', '1');
    assert.equal(failed.code, 1);
    assert.equal((await groups()).find(({ group }) => group === 'failed')?.state, 'no-members');
  });

  it('groups delete removes only the named group, and never a group with members', async () => {
    await publish(50);
    await consumeAll('--group', 'kept');
    await consumeAll('--group', 'gone');
    await refused(
      1,
      /There is no group gon\. Did you mean gone\? Stream G\d+ has gone, kept\./,
      'groups',
      'delete',
      'gon',
      '-y',
    );
    await refused(4, /Group gone .* 8 positions.*Nothing was done: add --force/, 'groups', 'delete', 'gone');
    const member = startCli(['consume', '--group', 'gone', '--output', 'none'], { env: env() });
    await member.tookOver(8);
    await refused(4, /Group gone has members: .* Stop them first/, 'groups', 'delete', 'gone', '--yes');
    member.signal('SIGTERM');
    await member.exited;
    await ok('leases', 'pin', '1', '--to', 'x', '--group', 'gone');
    const before: { messages: number } = JSON.parse(await ok('stream', '--json'));
    assert.match(await ok('groups', 'delete', 'gone', '--yes'), /^Deleted group gone of stream G\d+\.$/);
    const connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    const info = await manager.streams.info(`KV_${own.name}_leases`, { subjects_filter: '>' });
    await connection.close();
    const left = Object.keys(info.state.subjects ?? {});
    assert.deepEqual(
      left.filter((subject) => subject.includes('.gone.')),
      [],
    );
    assert.ok(left.some((subject) => subject.endsWith('.layout')));
    const after: { messages: number } = JSON.parse(await ok('stream', '--json'));
    assert.equal(after.messages, before.messages);
    assert.deepEqual(
      (await groups()).map(({ group, lag }) => [group, lag]),
      [['kept', 0]],
    );
    const again = await consumeAll('--group', 'gone');
    assert.match(again.stderr, /new group gone, starts at the first message, 50 waiting/);
    assert.match(again.stderr, /left after 50 messages/);
  });

  it('groups delete fences a member that has died, and waits until it is certainly dead', async () => {
    await publish(10);
    const member = startCli(['consume', '--group', 'dead', '--output', 'none'], { env: env() });
    await member.tookOver(8);
    member.signal('SIGKILL');
    await member.exited;
    await until('the group can be deleted', async () => {
      const exit = await natspoc('groups', 'delete', 'dead', '--yes');
      if (exit.code === 4) assert.match(exit.stderr, /The member may be alive: try again in a moment/);
      return exit.code === 0;
    });
    assert.deepEqual(await groups(), []);
  });

  it('commands for a group that does not exist name the groups that exist', async () => {
    await publish(10);
    const nothing =
      /There is no group nope\. Stream G\d+ has no groups yet: "natspoc consume --group nope" creates one\./;
    await refused(1, nothing, 'leases', '--group', 'nope');
    await consumeAll('--group', 'billing');
    const known = /There is no group nope\. Stream G\d+ has billing\./;
    const forms = [
      ['list'],
      ['check'],
      ['history', '1'],
      ['events'],
      ['seek', '--all', '--to', 'first', '--yes'],
      ['release', '1'],
      ['resize', '4'],
      ['retry', '1'],
      ['skip', '1', '--message', '1', '--yes'],
      ['pause', '--all'],
      ['resume', '1'],
      ['pin', '1', '--to', 'x'],
      ['unpin', '1'],
    ];
    for (const form of forms) await refused(1, known, 'leases', ...form, '--group', 'nope');
    await refused(1, known, 'top', '--once', '--group', 'nope');
    const body: { error: { code: string } } = JSON.parse(
      (await natspoc('leases', '--group', 'nope', '--json')).stdout,
    );
    assert.equal(body.error.code, 'group-missing');
    assert.match(
      (await natspoc('leases', 'check', '--group', 'nope', '--format', 'nagios')).stdout,
      /^NATSPOC CRITICAL - There is no group nope/,
    );
    assert.deepEqual(
      (await groups()).map(({ group }) => group),
      ['billing'],
    );
  });

  it('consume reports where a new group starts, but not where an existing group starts', async () => {
    await publish(30);
    const first = await consumeAll('--group', 'a', '--from', 'seq:11');
    assert.match(first.stderr, /^new group a, starts at sequence 11, 20 waiting$/m);
    assert.match(
      (await consumeAll('--group', 'b', '--from', 'new')).stderr,
      /^new group b, starts with new messages, 0 waiting$/m,
    );
    const key = ['--key', 'header:Natspoc-Key', '--partitions', '4'];
    assert.match(
      (await consumeAll('--group', 'c', ...key)).stderr,
      /^new group c, starts at the first message, 30 waiting$/m,
    );
    assert.doesNotMatch((await consumeAll('--group', 'a')).stderr, /new group/);
  });

  it('stream trim names a group without members that holds messages back, and the command that deletes the group', async () => {
    await publish(40);
    await consumeAll('--group', 'old');
    await publish(20);
    await consumeAll('--group', 'new');
    assert.match(
      await ok('stream', 'trim', '--dry-run'),
      /Group old has no members and holds back 20 messages: "natspoc groups delete old" deletes it, "--except-group old" ignores it\./,
    );
  });
});
