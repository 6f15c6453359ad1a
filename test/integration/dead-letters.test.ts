import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connect,
  headers,
  type JetStreamManager,
  type NatsConnection,
  RetentionPolicy,
  type StreamConfig,
} from 'nats';
import { runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';

/** A position passes a message only when the dead letter is certainly stored. Dead letters are put back unchanged. */
describe('dead letters', function () {
  this.timeout(120_000);
  const server = withServer();
  const folder = mkdtempSync(join(tmpdir(), 'natspoc-dead-'));
  const handler = join(folder, 'failing.mjs');
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let env: Record<string, string>;
  let stream = '';
  let streams = 0;

  before(async () => {
    writeFileSync(handler, 'export default () => { throw new Error("bad"); };\n');
    connection = await connect({ servers: server.url });
    manager = await connection.jetstreamManager();
  });
  beforeEach(async () => {
    stream = `L${++streams}`;
    env = { NATS_URL: server.url, STREAM_NAME: stream, SUBJECT_PREFIX: `${stream}.e`, PARTITIONS: '1' };
    await natspoc('stream', 'create');
  });
  after(async () => {
    await stopAll();
    await connection.close();
    rmSync(folder, { recursive: true });
  });

  async function natspoc(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCli(args, { env });
    assert.equal(code, 0, stderr);
    return stdout;
  }
  const publish = (text: string) => natspoc('publish', text, '--count', '1', '--quiet');
  const failing = [
    ...['consume', '--handler', handler, '--until-caught-up'],
    ...['--on-failure', 'dead-letter', '--max-attempts', '1'],
  ];
  const fail = () => natspoc(...failing);
  const letters = async () => (await manager.streams.info(`${stream}_dead`)).state.messages;
  const stored = async () => {
    const { state } = await manager.streams.info(stream);
    const messages = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      messages.push(await manager.streams.getMessage(stream, { seq }));
    }
    return messages;
  };

  it('dead letters of a recreated stream are stored in addition to the dead letters of the previous stream', async () => {
    await publish('one');
    await fail();
    await natspoc('stream', 'delete', '--force');
    await natspoc('stream', 'create');
    await publish('two');
    await fail();
    assert.equal(await letters(), 2);
  });

  it('deleted dead letters are stored again if their messages fail again', async () => {
    await publish('one');
    await fail();
    await manager.streams.purge(`${stream}_dead`);
    await natspoc('leases', 'seek', '--all', '--to', 'first', '--force');
    await fail();
    assert.equal(await letters(), 1);
  });

  const losing: [setting: string, config: Partial<StreamConfig>][] = [
    ['interest retention', { retention: RetentionPolicy.Interest }],
    ['no_ack', { no_ack: true }],
  ];
  for (const [setting, config] of losing) {
    it(`dead letters are not stored in a stream with ${setting}, which would lose them`, async () => {
      await publish('one');
      await manager.streams.add({ name: `${stream}_dead`, subjects: [`${stream}.e.dead`], ...config });
      const refused = await runCli(failing, { env });
      assert.equal(refused.code, 4, refused.stderr);
      assert.match(refused.stderr, new RegExp(`^Error: Stream ${stream}_dead has ${setting}: `, 'm'));
    });
  }

  it('dead letters are put back even if their id was used before', async () => {
    await publish('one');
    await fail();
    const [letter] = (await natspoc('stream', 'redrive', '--dry-run', '--json')).split('\n');
    const { letter: number, sequence, at, group } = JSON.parse(letter ?? '');
    const taken = headers();
    taken.set('Nats-Msg-Id', `redrive.${group}.${sequence}.${number}.${at}`);
    await connection.jetstream().publish(`${stream}.e.p.0`, 'not the letter', { headers: taken });
    await natspoc('stream', 'redrive');
    const texts = (await stored()).map((message) => message.string());
    assert.deepEqual([texts, await letters()], [['one', 'not the letter', 'one'], 0]);
  });

  it('dead letters of messages of the maximum size are stored, and put back complete and in order', async () => {
    const own = headers();
    own.set('Natspoc-Key', 'k');
    const room = (connection.info?.max_payload ?? 0) - 'NATS/1.0\r\nNatspoc-Key: k\r\n\r\n'.length;
    const data = new Uint8Array(room).fill(7);
    await connection.request(`${stream}.e.p.0`, data, { headers: own, timeout: 10_000 });
    await publish('small');
    await fail();
    const list = (await natspoc('stream', 'redrive', '--dry-run')).split('\n');
    assert.equal(list.length, 2, 'parts are not listed as letters');
    await natspoc('stream', 'redrive');
    const [, , large, small] = await stored();
    assert.deepEqual([large?.header.get('Natspoc-Key'), small?.string()], ['k', 'small']);
    assert.equal(Buffer.compare(large?.data ?? new Uint8Array(0), data), 0);
    assert.equal(await letters(), 0, 'no parts are left');
  });

  it('a forged dead letter cannot use server headers, or parts of another letter', async () => {
    await natspoc('publish', 'x', '--count', '3', '--quiet');
    await manager.streams.add({ name: `${stream}_dead`, subjects: [`${stream}.e.dead`] });
    const put = async (said: Record<string, string>, text: string) => {
      const about = headers();
      for (const [name, value] of Object.entries(said)) about.set(`Natspoc-Dead-${name}`, value);
      return (await connection.jetstream().publish(`${stream}.e.dead`, text, { headers: about })).seq;
    };
    const of = (from: string) => ({ Stream: stream, Sequence: from, Partition: '0', Group: 'g', Time: 't' });
    const orders = '{"nats-Expected-Last-Sequence":"77","Nats-Rollup":"all","X-Own":"mine"}';
    const [one, two] = [
      await put({ Stream: stream, 'Part-Of': `${stream}.g.1.5` }, `${orders}\nfirst`),
      await put({ Stream: stream, 'Part-Of': `${stream}.g.2.5` }, '{}\nsecond'),
    ];
    await put({ ...of('1'), Parts: `${one}` }, '');
    const thief = await put({ ...of('666'), Parts: `${two}` }, '');
    await put({ ...of('2'), Parts: `${two}` }, '');
    await put({ ...of('3'), Parts: '1 '.repeat(1_001) }, 'endless');
    await put(of('Infinity'), 'no sequence');
    const { code, stdout, stderr } = await runCli(['stream', 'redrive'], { env });
    assert.deepEqual([code, stdout], [1, '2 put back, 2 left where they are'], stderr);
    assert.match(
      stderr,
      new RegExp(`dead letter ${thief} \\(p0 666\\) stays: a part of its message cannot be read`),
    );
    const [first, second] = (await stored()).slice(3);
    assert.deepEqual([first?.string(), second?.string()], ['first', 'second']);
    assert.deepEqual([first?.header.get('X-Own'), first?.header.has('Nats-Rollup')], ['mine', false]);
    assert.equal(await letters(), 3);
  });

  it('dead letters of a missing partition are kept and named, and do not block other letters', async () => {
    await publish('one');
    await fail();
    const odd = headers();
    const said = { Stream: stream, Sequence: '1', Partition: '7', Group: 'default' };
    for (const [name, value] of Object.entries(said)) odd.set(`Natspoc-Dead-${name}`, value);
    await connection.jetstream().publish(`${stream}.e.dead`, 'odd', { headers: odd });
    await fail();
    const { code, stdout, stderr } = await runCli(['stream', 'redrive'], { env });
    assert.deepEqual([code, stdout], [1, '1 put back']);
    assert.match(
      stderr,
      /dead letter 2 \(p7 1\) stays: it belongs to partition 7, but the stream has only 1/,
    );
    assert.equal(await letters(), 1);
  });

  describe('after a resize of the group', () => {
    const ofGroup = (...args: string[]) => natspoc(...args, '--group', 'billing');
    const resize = (partitions: number) => ofGroup('leases', 'resize', String(partitions));
    /** The keys and subjects of all messages, without repetitions. */
    const places = async () =>
      new Set((await stored()).map(({ header, subject }) => `${header.get('Natspoc-Key')} ${subject}`));

    beforeEach(async () => {
      await natspoc('stream', 'delete', '--force');
      env = { ...env, PARTITIONS: '4' };
      await natspoc('stream', 'create');
      await natspoc('publish', 'first', '--count', '1', '--keys', '1', '--quiet');
      await ofGroup(...failing);
    });

    it('dead letters of a resized group are put back into the partitions of the stream that have their keys', async () => {
      await resize(5);
      await natspoc('publish', '{{Count}}', '--count', '12', '--keys', '6', '--quiet');
      await ofGroup(...failing);
      const before = await places();
      assert.equal(await natspoc('stream', 'redrive'), '13 put back');
      assert.deepEqual([await places(), (await stored()).length, await letters()], [before, 26, 0]);
    });

    it('dead letters that a group stored when it had more partitions are put back', async () => {
      await resize(5);
      await natspoc('publish', '{{Count}}', '--count', '12', '--keys', '6', '--quiet');
      await ofGroup(...failing);
      await resize(2);
      const before = await places();
      assert.equal(await ofGroup('stream', 'redrive'), '13 put back');
      assert.deepEqual([await places(), (await stored()).length, await letters()], [before, 26, 0]);
    });
  });

  it('dead letters that are named but do not exist make a redrive fail, and letters that are left do not', async () => {
    for (const text of ['one', 'two']) await publish(text);
    await fail();
    const json = async (...args: string[]) => {
      const { code, stdout } = await runCli(['stream', 'redrive', '--json', ...args], { env });
      return [code, ...stdout.split('\n').map((line): unknown => JSON.parse(line))];
    };
    const dry = await runCli(['stream', 'redrive', '1', '99', '--dry-run'], { env });
    assert.deepEqual([dry.code, dry.stdout], [1, '']);
    assert.match(dry.stderr, /There is no dead letter 99\./);
    assert.deepEqual(await json('1', '2', '--count', '1'), [
      0,
      { redriven: 1, left: 1, kept: 0, missing: [] },
    ]);
    assert.deepEqual(await json('2', '99'), [1, { redriven: 1, left: 0, kept: 0, missing: [99] }]);
  });

  it('dead letters keep every character of an error, for natspoc and for other clients', async () => {
    const error = '接続に失敗しました: Zürich 😀';
    const module = join(folder, 'unicode.mjs');
    writeFileSync(module, `export default () => { throw new Error(${JSON.stringify(error)}); };\n`);
    await publish('one');
    await natspoc(...failing.map((word) => (word === handler ? module : word)));
    assert.match(await natspoc('stream', 'dead', '1'), new RegExp(`^Error +${error}$`, 'm'));
    assert.equal(JSON.parse(await natspoc('stream', 'dead', '1', '--json')).error, error);
    const letter = await manager.streams.getMessage(`${stream}_dead`, { seq: 1 });
    assert.equal(letter?.header.get('Natspoc-Dead-Error'), error);
  });

  it('dead letters are listed, shown in full, dropped and put back one by one', async () => {
    await publish('{"order":7}');
    await publish('two');
    await publish('three');
    await fail();
    const list = (await natspoc('stream', 'dead')).split('\n');
    assert.equal(list.length, 3);
    assert.match(list[0] ?? '', /^1 {2}\d\d:\d\d:\d\d {2}p0 #1 {2}default, 1 attempt: bad$/);
    assert.match(
      await natspoc('stream', 'dead', '1'),
      /^Error +bad$[\s\S]*^Sequence +1$[\s\S]*^\{"order":7\}$/m,
    );
    assert.match(await natspoc('stream'), /^Dead letters +3 messages in L\d+_dead, the last .*: bad$/m);
    assert.match(await natspoc('leases', 'check'), /note {6}dead letters: 3 messages/);
    assert.match((await runCli(['groups'], { env })).stderr, /^dead letters: 3 messages in /m);
    assert.equal(JSON.parse(await natspoc('groups', '--json')).deadLetters.messages, 3);
    const unsure = await runCli(['stream', 'dead', '2', '--drop'], { env });
    assert.equal(unsure.code, 4, 'dropping a dead letter needs a confirmation');
    assert.equal(await letters(), 3);
    assert.equal(await natspoc('stream', 'dead', '2', '--drop', '--yes'), '1 dead letter dropped');
    assert.match(await natspoc('stream', 'redrive', '3'), /^1 put back/);
    assert.deepEqual(
      (await stored()).map((each) => each?.string()),
      ['{"order":7}', 'two', 'three', 'three'],
    );
    assert.equal(await letters(), 1);
    for (const command of ['dead', 'redrive']) {
      const missing = await runCli(['stream', command, '2'], { env });
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /There is no dead letter 2\./);
    }
  });
});
