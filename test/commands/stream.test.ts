import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { connect } from 'nats';
import { type CliExit, runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';
import { Tmux } from '../top/tmux.js';

describe('natspoc stream', function () {
  this.timeout(60_000);
  const server = withServer();
  let streams = 0;
  let stream = '';

  beforeEach(() => {
    stream = `S${++streams}`;
  });
  afterEach(stopAll);

  const env = () => ({ NATS_URL: server.url, STREAM_NAME: stream, SUBJECT_PREFIX: `${stream}.events` });
  const natspoc = (...args: string[]): Promise<CliExit> => runCli(args, { env: env() });

  async function ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await natspoc(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  const object = (text: string): Record<string, unknown> => {
    const value: unknown = JSON.parse(text);
    assert.ok(typeof value === 'object' && value !== null);
    return { ...value };
  };

  const publish = (count: number, data = 'event {{Count}}') =>
    ok('publish', data, '--count', String(count), '--keys', '10', '--quiet');
  const consumeAll = (...args: string[]) => ok('consume', '--until-caught-up', '--output', 'none', ...args);

  it('stream create sets partitions and limits, and refuses an existing stream', async () => {
    const limits = ['--max-age', '1h', '--max-bytes', '1MiB', '--max-messages', '5', '--storage', 'memory'];
    assert.match(
      await ok('stream', 'create', '--partitions', '4', ...limits),
      /Created stream S\d+ with 4 partitions/,
    );
    const info = object(await ok('stream', '--json'));
    assert.deepEqual(
      [info.storage, info.maxAgeMs, info.maxBytes, info.maxMessages],
      ['memory', 3_600_000, 1_048_576, 5],
    );
    assert.deepEqual(info.layout, { prefix: `${stream}.events`, partitions: 4, hash: 'fnv1a32' });
    const again = await natspoc('stream', 'create');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /There is a stream S\d+ already/);
  });

  it('stream create restores a lost bucket with the layout of its stream', async () => {
    await ok('stream', 'create', '--partitions', '3', '--max-messages', '5');
    const connection = await connect({ servers: server.url });
    await (await connection.jetstreamManager()).streams.delete(`KV_${stream}_leases`);
    await connection.close();
    assert.match(await ok('stream', 'create'), /^Created bucket S\d+_leases: .* with 3 partitions/);
    const info = object(await ok('stream', '--json'));
    assert.equal(info.maxMessages, 5);
    assert.equal((await natspoc('stream', 'create')).code, 1);
  });

  it('stream info shows partitions, groups with their lag, and the server', async () => {
    await publish(100);
    await consumeAll('--group', 'done');
    await consumeAll('--group', 'late');
    await publish(50);
    const info = object(await ok('stream', '--json'));
    assert.deepEqual(info.server, { version: server.version });
    assert.ok(Array.isArray(info.partitions));
    const storedAt = info.partitions.map(({ lastAt }: { lastAt: unknown }) => String(lastAt));
    const isTime = (at: string): boolean => new Date(at).toISOString() === at;
    assert.ok(storedAt.length === 8 && storedAt.every(isTime), String(storedAt));
    assert.ok(Array.isArray(info.groups));
    for (const { oldestMs } of info.groups) assert.ok(oldestMs > 0, `${oldestMs}`);
    const timeless = info.groups.map(({ oldestMs: _, ...group }: Record<string, unknown>) => group);
    assert.deepEqual(timeless, [
      {
        group: 'done',
        members: 0,
        unreachable: 0,
        partitions: 8,
        owned: 0,
        begun: 8,
        wrongPositions: 0,
        lag: 50,
        lagIsEstimate: false,
        withoutKey: 0,
        drainMs: null,
        problem: null,
      },
      {
        group: 'late',
        members: 0,
        unreachable: 0,
        partitions: 8,
        owned: 0,
        begun: 8,
        wrongPositions: 0,
        lag: 50,
        lagIsEstimate: false,
        withoutKey: 0,
        drainMs: null,
        problem: null,
      },
    ]);
    assert.match(await ok('stream'), new RegExp(`Messages +150, .*[\\s\\S]*Server +${server.version}`));
  });

  it('stream info and the question of stream delete count each group by its own partitions, even after a resize', async () => {
    await publish(60);
    for (const group of ['same', 'resized']) await consumeAll('--group', group);
    await ok('leases', 'resize', '3', '--group', 'resized');
    await publish(60);
    for (const group of ['same', 'resized']) await consumeAll('--group', group);
    await publish(80);
    for (const chosen of ['same', 'resized']) {
      const { groups } = object(await ok('stream', '--json', '--group', chosen));
      assert.ok(Array.isArray(groups));
      assert.deepEqual(
        groups.map(({ group, partitions, lag }) => [group, partitions, lag]),
        [
          ['resized', 3, 80],
          ['same', 8, 80],
        ],
      );
    }
    assert.match(await ok('stream'), /^resized +0 +0 of 3 +~80\nsame +0 +0 of 8 +80$/m);
    const { stderr } = await natspoc('stream', 'delete');
    assert.match(stderr, /resized \(0 running, ~80 messages wait\), same \(0 running, 80 messages wait\)/);
  });

  it('stream info and stream delete work even if a group cannot be read', async () => {
    await publish(10);
    for (const group of ['good', 'newer']) await consumeAll('--group', group);
    const connection = await connect({ servers: server.url });
    await connection.jetstream().publish(`$KV.${stream}_leases.group.newer.layout`, '{"v":99}');
    await connection.close();
    assert.match(await ok('stream'), /^good +0 +0 of 8 +0\nnewer +- +- +unreadable: see "natspoc groups"$/m);
    assert.match(
      (await natspoc('stream', 'delete')).stderr,
      /good \(0 running, .*\), newer \(unreadable\)\./,
    );
    await ok('stream', 'delete', '--force');
  });

  it('stream info counts a dead member as unreachable, not as running', async () => {
    await publish(10);
    const member = startCli(['consume', '--output', 'none'], { env: env() });
    await member.note(/joined group/);
    const groups = async () => object(await ok('stream', '--json')).groups;
    assert.match(JSON.stringify(await groups()), /"members":1,"unreachable":0/);
    member.signal('SIGKILL');
    await member.exited;
    await until('the dead member counts as unreachable', async () =>
      /"unreachable":1/.test(JSON.stringify(await groups())),
    );
    assert.match(JSON.stringify(await groups()), /"members":0,"unreachable":1/);
    assert.match(await ok('stream'), /GROUP +MEMBERS .*\n *default +0 running, 1 unreachable /);
    const { stderr } = await natspoc('stream', 'delete');
    assert.match(stderr, /default \(0 running, 1 unreachable, /);
  });

  it('stream tail shows the last messages, then new messages; stream get shows one message', async () => {
    await publish(30);
    const last = (await ok('stream', 'tail', '--no-follow', '--last', '5', '--json')).split('\n').map(object);
    assert.deepEqual(
      last.map(({ data }) => data),
      [26, 27, 28, 29, 30].map((n) => `event ${n}`),
    );
    const key = String(last[0]?.key);
    const ofKey = (await ok('stream', 'tail', '--no-follow', '--last', '100', '--key', key, '--json')).split(
      '\n',
    );
    assert.ok(ofKey.length > 1 && ofKey.map(object).every((each) => each.key === key));
    const live = startCli(['stream', 'tail', '--last', '0', '--json'], { env: env() });
    await until('new messages are shown', async () => {
      await publish(1, 'now');
      return live.stdout.some((line) => object(line).data === 'now');
    });
    live.signal('SIGINT');
    assert.equal((await live.exited).code, 0);
    assert.match(await ok('stream', 'get', '7'), /Sequence +7[\s\S]*event 7$/);
    assert.equal(await ok('stream', 'get', '7', '--raw'), 'event 7');
    const none = await natspoc('stream', 'get', '99999');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /has no message 99999/);
  });

  it('stream trim deletes only messages that every group has handled, purge and delete also delete other messages; each needs a confirmation', async () => {
    await publish(100);
    await consumeAll('--group', 'fast');
    await consumeAll('--group', 'slow');
    await publish(40);
    await consumeAll('--group', 'fast');
    const dry = object(await ok('stream', 'trim', '--dry-run', '--json'));
    assert.equal(dry.deleted, 0);
    for (const command of [
      ['stream', 'trim'],
      ['stream', 'purge'],
      ['stream', 'delete'],
    ]) {
      const refused = await natspoc(...command);
      assert.equal(refused.code, 4, command.join(' '));
      assert.match(refused.stderr, /Nothing was done: add --force to confirm/);
    }
    assert.equal(object(await ok('stream', '--json')).messages, 140);
    assert.equal(object(await ok('stream', 'trim', '--force', '--json')).deleted, 100);
    assert.equal(
      object(await ok('stream', 'trim', '--force', '--json', '--except-group', 'slow')).deleted,
      40,
    );
    await publish(10);
    assert.equal(object(await ok('stream', 'purge', '--force', '--json')).deleted, 10);
    await ok('stream', 'delete', '--force');
    const gone = await natspoc('stream');
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /There is no stream/);
  });

  it('after their questions, stream trim keeps messages that a group is to handle again, and stream purge keeps later messages', async () => {
    await publish(20);
    await consumeAll('--group', 'fast');
    await consumeAll('--group', 'slow', '--from', 'new');
    const terminal = await Tmux.open({ columns: 120, rows: 40 }, env());
    try {
      const entry = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
      const type = (command: string) => terminal.type(`clear; "${process.execPath}" "${entry}" ${command}\n`);
      await type('stream trim --except-group slow --except-group other');
      const question = await terminal.shows(/Type S\d+ to continue:/);
      assert.match(
        question,
        /^20 messages of stream S\d+ will be deleted; every group except slow has handled/m,
      );
      await ok('leases', 'seek', '--group', 'fast', '--all', '--to', 'first', '--force');
      await terminal.type(`${stream}\n`);
      await terminal.shows(/^Deleted 0 messages\.$/m);
      await type('stream purge');
      await terminal.shows(/^20 messages of stream S\d+ will be deleted,[\s\S]*Type S\d+ to continue:/m);
      await publish(5);
      await terminal.type(`${stream}\n`);
      await terminal.shows(/^Deleted 20 messages\.$/m);
      assert.equal(object(await ok('stream', '--json')).messages, 5);
    } finally {
      await terminal.close();
    }
  });

  it('tables break no word on a terminal of 50 columns', async () => {
    await publish(20);
    // With --count a run is not a bounded job, so the group is not idle afterwards.
    await ok('consume', '--count', '20', '--output', 'none');
    const terminal = await Tmux.open({ columns: 50, rows: 60 }, { ...env(), TZ: 'UTC' });
    try {
      const entry = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
      await terminal.type(
        `clear; "${process.execPath}" "${entry}" stream; "${process.execPath}" "${entry}" leases\n`,
      );
      const shown = await terminal.shows(/p0-p7\s+unowned/);
      assert.match(shown, /^PARTITION +MESSAGES +END +LAST STORED +AGO$/m);
      const summary =
        'S\\d+, group default: 0 members · 0 of 8 partitions owned · lag 0 · needs attention: p0-p7 unowned';
      assert.match(shown, new RegExp(summary.replaceAll(' ', '\\s+')));
      await terminal.type(`clear; "${process.execPath}" "${entry}" stream delete\n`);
      await terminal.shows(/Type S\d+ to continue:/);
      const question = (await terminal.screen()).replaceAll('\n', ' ');
      assert.match(
        question,
        /bucket S\d+_leases will be deleted\. Groups: default \(0 running, 0 messages wait\)\./,
      );
      await terminal.type('no\n');
      await terminal.shows(/nothing was done/);
    } finally {
      await terminal.close();
    }
  });

  it('stream trim deletes nothing if there is no group', async () => {
    await publish(10);
    const { code, stderr } = await natspoc('stream', 'trim', '--force');
    assert.equal(code, 1);
    assert.match(stderr, /No group reads stream/);
  });
});
