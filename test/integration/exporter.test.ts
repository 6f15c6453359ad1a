import assert from 'node:assert/strict';
import { Exporter } from '../../src/cli/exporter/exporter.js';
import { deleteGroup } from '../../src/cli/groups/delete-group.js';
import { StreamAdmin } from '../../src/core/admin/stream-admin.js';
import { loadConfig } from '../../src/core/config/config.js';
import { type GroupMember, openStream } from '../../src/core/index.js';
import { connectNats } from '../../src/core/nats/client/connection.js';
import { startCli, stopAll } from '../support/cli.js';
import { until } from '../support/until.js';
import { withLibrary } from '../support/with-library.js';

interface Told {
  group: string;
  state: string;
  partitions: number;
  owned: number;
  members: number;
  lag: number;
  oldestMs: number | null;
  suggestedMembers: number;
  ageMs: number;
  stale: string | null;
  problems: { kind: string; message: string }[];
  heldUp: { partition: number; why: string; reason: string }[];
  paused: { partition: number; pausedBy: string; lag: number }[];
}

describe('natspoc exporter', function () {
  this.timeout(60_000);
  const stage = withLibrary();
  const opened: { close(): Promise<void> }[] = [];
  let notes: string[] = [];
  beforeEach(() => {
    notes = [];
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await stopAll();
  });

  async function open(...groups: string[]): Promise<Exporter> {
    const flags = { server: stage.server.url, stream: stage.stream, exporterPort: '0', refreshMs: '1h' };
    const config = loadConfig({ flags, env: {} });
    const connection = await connectNats(config, 'test');
    opened.push(connection);
    const exporter = await Exporter.open({ connection, config, groups, note: (line) => notes.push(line) });
    opened.unshift(exporter);
    return exporter;
  }

  async function get(exporter: Exporter, path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(exporter.url + path);
    return { status: response.status, text: await response.text() };
  }

  async function group(exporter: Exporter, name: string): Promise<Told> {
    await exporter.read();
    const { status, text } = await get(exporter, `/groups/${name}`);
    assert.equal(status, 200, text);
    return JSON.parse(text);
  }

  async function join(
    name: string,
    options: { key?: string; partitions?: number } = {},
  ): Promise<GroupMember> {
    const member = await stage.join({ group: name, handler: () => {}, ...options });
    await member.ready;
    return member;
  }
  const messages = (count: number): [string, string][] =>
    Array.from({ length: count }, (_, i) => [`k${i % 10}`, 'x']);

  it("the exporter reports lag and age of groups without members, both of keyed groups and of groups over the stream's own layout", async () => {
    await stage.publish(messages(20));
    const key = { key: 'header:Natspoc-Key', partitions: 2 };
    for (const [name, options] of [
      ['own', {}],
      ['keyed', key],
    ] as const) {
      const member = await join(name, options);
      await until('all messages are handled', () => member.counters.handled === 20);
      await member.leave();
    }
    await stage.publish(messages(10));
    const exporter = await open();
    for (const [name, partitions] of [
      ['own', 4],
      ['keyed', 2],
    ] as const) {
      const told = await group(exporter, name);
      const { state, owned, members, lag, suggestedMembers } = told;
      assert.deepEqual(
        { state, partitions: told.partitions, owned, members, lag, suggestedMembers },
        { state: 'no-members', partitions, owned: 0, members: 0, lag: 10, suggestedMembers: 1 },
      );
      assert.ok(told.oldestMs !== null && told.oldestMs < 60_000, String(told.oldestMs));
      assert.ok(told.problems.some(({ kind }) => kind === 'no-members'));
    }
    // Counted messages are not counted again, and new messages are added.
    await stage.publish(messages(5));
    assert.equal((await group(exporter, 'own')).lag, 15);
    const { text } = await get(exporter, '/metrics');
    assert.match(text, /^natspoc_group_lag_messages\{group="own",stream="L\d+"\} 15$/m);
    assert.match(text, /^natspoc_group_state\{group="keyed",state="no-members",stream="L\d+"\} 1$/m);
  });

  it('the exporter reports the message that holds a group up, and paused partitions', async () => {
    const fails = (): void => {
      throw new Error('no connection');
    };
    const member = await stage.join({
      group: 'g',
      handler: fails,
      maxAttempts: 100,
      backoff: { baseMs: 60_000, maxMs: 60_000 },
    });
    await member.ready;
    const admin = await openStream({ connection: stage.connection, stream: stage.stream });
    await admin.group('g').following((follower) => admin.group('g').pause(follower, [3], true));
    const held = (): number[] =>
      member.partitions
        .filter(({ holdUp }) => holdUp)
        .map(({ partition }) => partition)
        .sort();
    await stage.publish(messages(10));
    await until('the messages have failed', () => held().length === 3);
    const told = await group(await open(), 'g');
    assert.deepEqual(
      told.heldUp.map(({ partition, why, reason }) => [partition, why, reason]),
      held().map((partition) => [partition, 'retrying', 'no connection']),
    );
    const [paused] = told.paused;
    assert.deepEqual([told.paused.length, paused?.partition], [1, 3]);
    assert.match(paused?.pausedBy ?? '', /@/);
    assert.ok((paused?.lag ?? 0) > 0);
    assert.deepEqual(
      told.problems.map(({ kind }) => kind),
      ['paused'],
    );
  });

  it('the exporter follows groups that appear and are deleted, and reports a named group that does not exist yet', async () => {
    await stage.publish(messages(1));
    const exporter = await open('soon');
    assert.equal((await group(exporter, 'soon')).state, 'missing');
    assert.equal((await get(exporter, '/groups/other')).status, 404);
    await join('soon');
    await join('other');
    const { state, members, owned } = await group(exporter, 'soon');
    assert.deepEqual([state, members, owned], ['running', 1, 4]);
    const listed: { groups: Told[] } = JSON.parse((await get(exporter, '/groups')).text);
    assert.deepEqual(
      listed.groups.map((each) => each.group),
      ['soon'],
    );
    await stage.leaveAll();
    const stream = { stream: stage.stream, group: 'soon' };
    const config = loadConfig({ flags: stream, env: {} });
    await deleteGroup(await StreamAdmin.open(stage.connection, config), 'soon');
    assert.equal((await group(exporter, 'soon')).state, 'missing');
    assert.deepEqual(notes, ['group soon has appeared', 'group soon is gone']);
  });

  it('the exporter waits for a stream that does not exist, and reports that the stream is missing', async () => {
    const exporter = await open();
    const { status, text } = await get(exporter, '/readyz');
    assert.equal(status, 503);
    assert.match(text, /^for .*: There is no stream L\d+ yet/);
    assert.equal((await get(exporter, '/livez')).status, 200);
    await stage.publish(messages(1));
    await exporter.read();
    assert.deepEqual(await get(exporter, '/readyz'), { status: 200, text: 'ready\n' });
  });

  it('the exporter is not ready if no group can be read, and keeps its data until a second reading confirms that the stream is gone', async () => {
    const member = await join('g');
    await member.leave();
    const exporter = await open();
    const manager = await stage.connection.jetstreamManager();
    await manager.streams.delete(stage.stream);
    const { state, stale } = await group(exporter, 'g');
    assert.equal(state, 'no-members');
    assert.match(stale ?? '', /There is no stream/);
    assert.equal((await get(exporter, '/readyz')).status, 503);
    await exporter.read();
    assert.equal((await get(exporter, '/groups/g')).status, 404);
  });

  it('natspoc exporter prints the address on which it listens, and stops at a signal', async () => {
    await stage.publish(messages(1));
    const env = { NATS_URL: stage.server.url, STREAM_NAME: stage.stream };
    const cli = startCli(['exporter', '--port', '0', '--json'], { env });
    await until('the exporter prints its address', () => cli.stdout.length > 0, 20_000);
    const { url, stream, groups } = JSON.parse(cli.stdout[0] ?? '');
    assert.deepEqual([stream, groups], [stage.stream, []]);
    const taken = startCli(['exporter', '--port', new URL(url).port], { env });
    const { code, stderr } = await taken.exited;
    assert.equal(code, 2);
    assert.match(stderr, /Cannot listen on 127\.0\.0\.1:\d+ for the exporter: .*in use/);
    cli.signal('SIGTERM');
    assert.equal((await cli.exited).code, 0);
  });

  // This test is last. After it, other connections would have to reconnect first.
  it('the exporter keeps its data while the server is gone, reports the age of the data, and reads again when the server is back', async () => {
    await stage.publish(messages(3));
    const member = await join('g');
    await until('all messages are handled', () => member.counters.handled === 3);
    await member.leave();
    const exporter = await open();
    await stage.server.kill();
    await until('the exporter is not ready', async () => (await get(exporter, '/readyz')).status === 503);
    assert.match((await get(exporter, '/readyz')).text, /^no connection to NATS for /);
    const told: Told = JSON.parse((await get(exporter, '/groups/g')).text);
    assert.deepEqual([told.partitions, told.lag], [4, 0]);
    assert.match(told.stale ?? '', /^no connection to NATS for /);
    assert.match((await get(exporter, '/metrics')).text, /^natspoc_disconnects_total\{stream="L\d+"\} 1$/m);
    await stage.server.start();
    await until('the exporter is ready', async () => (await get(exporter, '/readyz')).status === 200, 20_000);
    const again: Told = JSON.parse((await get(exporter, '/groups/g')).text);
    assert.ok(again.ageMs < told.ageMs + 60_000 && again.lag === 0 && again.stale === null);
    assert.ok(notes.some((line) => line.startsWith('disconnected from NATS')));
  });
});
