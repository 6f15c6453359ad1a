import assert from 'node:assert/strict';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { openRawClient, type RawClient } from '../support/raw-client.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

/** Headers at which the NATS client throws. If it throws inside a callback, it no longer reads the connection. */
const HOSTILE = ['Natspoc-Key: a\rb', 'My Header: v', 'é: ü', ': nothing'];

describe('headers that the client would not send', function () {
  this.timeout(60_000);
  const server = withServer();
  let raw: RawClient;
  let env: Record<string, string>;
  let streams = 0;

  beforeEach(async () => {
    const stream = `H${++streams}`;
    env = { NATS_URL: server.url, STREAM_NAME: stream, SUBJECT_PREFIX: `${stream}.e`, PARTITIONS: '2' };
    raw = await openRawClient(server.port);
    assert.equal((await runCli(['stream', 'create'], { env })).code, 0);
  });
  afterEach(async () => {
    raw.close();
    await stopAll();
  });

  const send = (data: string, lines: readonly string[] = [], partition = 0) =>
    raw.publish(`${env.SUBJECT_PREFIX}.p.${partition}`, lines, data);
  const consume = (name: string, ...args: string[]) =>
    startCli(['consume', '--name', name, '--output', 'ndjson', ...args], { env });
  const parsed = (lines: readonly string[]) =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const dataOf = (lines: readonly string[]) => parsed(lines).map(({ data }) => data);

  it('messages with headers that the client refuses are handled, and so are later messages', async () => {
    const member = consume('member');
    await member.tookOver(2);
    send('before', ['Natspoc-Key: a']);
    send('odd', HOSTILE);
    send('after', ['Natspoc-Key: a']);
    await until('all messages are handled', () => member.stdout.length === 3);
    assert.deepEqual(dataOf(member.stdout), ['before', 'odd', 'after']);
    assert.equal(parsed(member.stdout)[1]?.key, 'a\rb');
    member.signal('SIGTERM');
    assert.equal((await member.exited).code, 0);
    assert.doesNotMatch(member.stderr.join('\n'), /again|at .*\.js/);
  });

  it('headers that the client refuses are shown by tail, get and top', async () => {
    send('odd', HOSTILE);
    send('after', ['Natspoc-Key: a']);
    await raw.flush();
    const tail = await runCli(['stream', 'tail', '--no-follow', '--json'], { env });
    assert.deepEqual([tail.code, dataOf(tail.stdout.split('\n'))], [0, ['odd', 'after']]);
    const get = await runCli(['stream', 'get', '1', '--json'], { env });
    const headers = { 'Natspoc-Key': 'a\rb', 'My Header': 'v', é: 'ü' };
    assert.deepEqual([get.code, parsed([get.stdout])[0]?.headers], [0, headers]);
    const member = consume('member');
    await until('both messages are handled', () => member.stdout.length === 2);
    const top = await runCli(['top', '--once', '--json'], { env });
    assert.equal(top.code, 0, top.stderr);
  });

  it('headers that the client refuses are stored unchanged with a dead letter', async () => {
    send('odd', HOSTILE);
    send('after');
    const flags = ['--exec', 'grep -q after', '--on-failure', 'dead-letter', '--max-attempts', '1'];
    const member = startCli(['consume', '--until-caught-up', ...flags], { env });
    const { code, stderr } = await member.exited;
    assert.equal(code, 0, stderr);
    const listed = await runCli(['stream', 'redrive', '--dry-run', '--json'], { env });
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /"key":"a\\rb"/);
  });

  it('answers to probes and requests with headers that the client refuses do not end a member', async () => {
    let answers = 0;
    for (const verb of ['ping', 'stats']) {
      raw.subscribe(`natspoc.${env.STREAM_NAME}.*.*.${verb}`, ({ reply }) => {
        answers++;
        if (reply) raw.publish(reply, HOSTILE, '{}');
      });
    }
    await raw.flush();
    const members = ['one', 'two', 'three'].map((name) => consume(name));
    await until('the members probe each other', () => answers > 12);
    assert.equal((await runCli(['top', '--once', '--json'], { env })).code, 0);
    send('after', [], 0);
    send('after', [], 1);
    await until('both messages are handled', () => members.flatMap(({ stdout }) => stdout).length === 2);
    for (const member of members) {
      member.signal('SIGTERM');
      assert.equal((await member.exited).code, 0, member.stderr.join('\n'));
    }
  });

  it('entries of the bucket with headers that the client refuses do not end a watching or joining member', async () => {
    const first = consume('first');
    await first.tookOver(2);
    for (const key of ['group.default.session.ghost', 'group.default.override.0', 'group.default.junk']) {
      raw.publish(`$KV.${env.STREAM_NAME}_leases.${key}`, HOSTILE, 'junk');
    }
    await raw.flush();
    const second = consume('second');
    await second.note(/acquired p\d/);
    send('after', [], 0);
    send('after', [], 1);
    await until('both messages are handled', () => first.stdout.length + second.stdout.length === 2);
    for (const args of [
      ['leases', '--json'],
      ['leases', 'history', '0', '--json'],
      ['top', '--once', '--json'],
    ]) {
      const { code, stderr } = await runCli(args, { env });
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    }
  });
});
