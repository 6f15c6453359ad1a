import assert from 'node:assert/strict';
import {
  connect,
  type JetStreamManager,
  type NatsConnection,
  RetentionPolicy,
  type StreamConfig,
} from 'nats';
import { bucketSubject } from '../../src/core/nats/kv/bucket.js';
import { keys } from '../../src/core/protocol/keys.js';
import { encodeRecord } from '../../src/core/protocol/records.js';
import { type CliExit, runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';

/** Users that may not create a stream. Each is refused at a different step. */
const USERS = ['bucket', 'stream', 'layout'] as const;
const deny = {
  bucket: '$JS.API.STREAM.CREATE.KV_REFUSED_leases',
  stream: '$JS.API.STREAM.CREATE.REFUSED',
  layout: '$KV.*.layout',
};
const CONFIG = `
accounts {
  ALL { jetstream: enabled, users: [
    { user: all, password: x }
    ${USERS.map((user) => `{ user: ${user}, password: x, permissions: { publish: { deny: ["${deny[user]}"] } } }`).join('\n')}
  ] }
  ONE { jetstream: { max_streams: 1 }, users: [{ user: one, password: x }] }
  LIMITED { jetstream: { max_file: 1GB, max_bytes_required: true }, users: [{ user: limited, password: x }] }
  FEW { jetstream: { max_file: 1GB, max_consumers: 50 }, users: [{ user: few, password: x }] }
}
`;

describe('creating a stream', function () {
  this.timeout(60_000);
  const server = withServer({ config: CONFIG });
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let streams = 0;
  let stream = '';

  before(async () => {
    connection = await connect({ servers: server.url, user: 'all', pass: 'x' });
    manager = await connection.jetstreamManager();
  });
  after(() => connection.close());
  beforeEach(() => {
    stream = `S${++streams}`;
  });
  afterEach(stopAll);

  const natspoc = (args: string[], user = 'all'): Promise<CliExit> =>
    runCli([...args, '--stream', stream], {
      env: { NATS_URL: server.url, NATS_USER: user, NATS_PASSWORD: 'x', NATS_TIMEOUT: '2s' },
    });
  async function ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await natspoc(args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  /** Streams whose name contains the name of the test's stream. */
  async function leftovers(of: JetStreamManager = manager): Promise<string[]> {
    const found: string[] = [];
    for await (const name of of.streams.names()) if (name.includes(stream)) found.push(name);
    return found.sort();
  }
  const create = (...args: string[]) => natspoc(['stream', 'create', ...args]);
  /** Leaves a bucket that has only a layout, as older versions did. */
  async function leaveBehind(prefix: string, partitions: number): Promise<void> {
    await ok('stream', 'create', '--prefix', `${stream}.first`);
    await manager.streams.delete(stream);
    const layout = encodeRecord({ v: 1, prefix, partitions, hash: 'fnv1a32' });
    await connection.request(bucketSubject(`${stream}_leases`, keys.layout), layout);
  }

  it('a new stream whose subjects are taken: the error names the other stream and the remedy, and nothing is left behind', async () => {
    const holder = `S${++streams}`;
    await manager.streams.add({ name: holder, subjects: [`${stream}.>`] });
    for (const command of [
      ['stream', 'create'],
      ['consume', '--duration', '1s'],
      ['publish', 'x'],
    ]) {
      const { code, stderr } = await natspoc([...command, '--prefix', `${stream}.events`]);
      assert.equal(code, 1, stderr);
      assert.equal(
        stderr,
        `Error: Stream ${holder} already listens to ${stream}.events.p.*, so ${stream} cannot: give it a prefix of its own with --prefix.`,
      );
      assert.deepEqual(await leftovers(), []);
    }
    assert.match(await ok('stream', 'create', '--prefix', `other.${stream}`), /^Created stream/);
  });

  for (const user of USERS) {
    it(`a creation leaves nothing behind if the ${user} is refused`, async () => {
      stream = 'REFUSED';
      const refused = await natspoc(['stream', 'create', '--prefix', stream], user);
      assert.equal(refused.code, 4, refused.stderr);
      assert.match(refused.stderr, /not permitted to publish /);
      assert.deepEqual(await leftovers(), []);
      await ok('stream', 'create', '--prefix', `other.${stream}`, '--partitions', '3');
      await ok('stream', 'delete', '--force');
    });
  }

  it('a creation leaves nothing behind in an account with room for only one stream', async () => {
    const refused = await natspoc(['stream', 'create', '--prefix', stream], 'one');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Could not create S\d+: maximum number of streams reached\.$/);
    const own = await connect({ servers: server.url, user: 'one', pass: 'x' });
    assert.deepEqual(await leftovers(await own.jetstreamManager()), []);
    await own.close();
  });

  it('a creation ignores the remains of an older version', async () => {
    await leaveBehind('taken.by.another', 5);
    const missing = await natspoc(['stream']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /There is no stream S\d+, but its bucket S\d+_leases exists\./);
    assert.match(
      await ok('stream', 'create', '--prefix', stream),
      new RegExp(`8 partitions of ${stream}\\.p`),
    );
    const { layout } = JSON.parse(await ok('stream', '--json'));
    assert.deepEqual(layout, { prefix: stream, partitions: 8, hash: 'fnv1a32' });
  });

  it('the remains of an older version are ignored for a foreign stream with other subjects', async () => {
    await leaveBehind('subject.events', 5);
    await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
    const refused = await natspoc(['publish', 'x', '--bucket', `${stream}_fresh`]);
    assert.equal(refused.code, 4);
    assert.match(
      refused.stderr,
      /does not cover subject\.events\.p\.\*\. To publish .* with --subject\. For partitions, give their prefix with --prefix/,
    );
    assert.deepEqual(await leftovers(), [`KV_${stream}_leases`, stream], 'no fresh bucket');
    await ok('publish', 'x', '--prefix', stream, '--partitions', '3');
    await ok('consume', '--until-caught-up');
  });

  it('a creation does not change a layout that groups use, and its error names the command that removes the layout', async () => {
    await ok('publish', 'x', '--prefix', stream);
    await ok('consume', '--until-caught-up');
    await manager.streams.delete(stream);
    const refused = await create('--prefix', `${stream}.other`, '--partitions', '3');
    assert.equal(refused.code, 4);
    assert.equal(
      refused.stderr,
      `Error: There is no stream ${stream}, but groups have positions for 8 partitions of ${stream} in bucket ${stream}_leases, ` +
        `not for 3 partitions of ${stream}.other. "natspoc stream delete --stream ${stream}" removes the bucket; --bucket selects another bucket.`,
    );
    const unconfirmed = await natspoc(['stream', 'delete']);
    assert.equal(unconfirmed.code, 4);
    assert.match(
      unconfirmed.stderr,
      /There is no stream S\d+\. Its bucket S\d+_leases will be deleted\. Groups: default\./,
    );
    assert.match(
      await ok('stream', 'delete', '--force'),
      /^Deleted bucket S\d+_leases; there was no stream S\d+\.$/,
    );
    assert.deepEqual(await leftovers(), []);
  });

  it('stream delete does not delete a foreign bucket that has no stream', async () => {
    await manager.streams.add({ name: `KV_${stream}_leases`, subjects: [`$KV.${stream}_leases.>`] });
    await connection.request(`$KV.${stream}_leases.colour`, 'red');
    const refused = await natspoc(['stream', 'delete', '--force']);
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /holds entries but no layout, so it is not natspoc's\.$/);
    assert.deepEqual(await leftovers(), [`KV_${stream}_leases`]);
  });

  it('stream create completes a creation that stopped after the bucket, or after the stream', async () => {
    await ok('stream', 'create', '--prefix', stream, '--partitions', '3');
    const bucket = `KV_${stream}_leases`;
    const { config } = await manager.streams.info(bucket);
    for (const gone of [[bucket, stream], [bucket]]) {
      for (const name of gone) await manager.streams.delete(name);
      await manager.streams.add(config);
      await ok('stream', 'create', ...(gone.includes(stream) ? ['--prefix', `${stream}.x`] : []));
      await ok('publish', 'x');
      assert.equal((await manager.streams.info(bucket)).state.messages, 1, 'the layout');
    }
  });

  it('many processes at the same time create one stream with one layout', async () => {
    const members = ['3', '4', '5', '3', '4', '5'].map((partitions) =>
      natspoc(['publish', 'x', '--prefix', stream, '--partitions', partitions, '--json']),
    );
    const exits = await Promise.all(members);
    const { layout, messages } = JSON.parse(await ok('stream', '--json'));
    const done = exits.filter(({ code }) => code === 0);
    assert.equal(done.length, 2, exits.map(({ stderr }) => stderr).join('\n'));
    for (const { stdout } of done) assert.equal(JSON.parse(stdout).partitions, layout.partitions);
    assert.equal(messages, 2);
  });

  it('the error for an account that requires limits says how to set them, and setting them works', async () => {
    const limited = (...args: string[]) =>
      natspoc(['stream', 'create', '--prefix', stream, ...args], 'limited');
    for (const args of [[], ['--max-bytes', '1MiB'], ['--bucket-max-bytes', '1MiB']]) {
      const { code, stderr } = await limited(...args);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /requires a limit of bytes \(max_bytes\) for each stream\. Create it with "natspoc stream create --max-bytes \S+ --bucket-max-bytes \S+ --stream S\d+"\.$/,
      );
    }
    const { code, stderr } = await limited('--max-bytes', '1MiB', '--bucket-max-bytes', '1MiB');
    assert.equal(code, 0, stderr);
    const own = await connect({ servers: server.url, user: 'limited', pass: 'x' });
    const { streams: of } = await own.jetstreamManager();
    assert.equal((await of.info(`KV_${stream}_leases`)).config.max_bytes, 1_048_576);
    await own.close();
    for (const command of [
      ['publish', 'x'],
      ['consume', '--until-caught-up'],
    ]) {
      assert.equal((await natspoc(command, 'limited')).code, 0, command.join(' '));
    }
  });

  it('a created stream allows more consumers than the default of nats-server 2.15, which is 1,000, if the account does', async () => {
    await ok('stream', 'create', '--prefix', stream);
    const newer = /^2\.(1[5-9]|[2-9]\d)\./.test(server.version);
    for (const name of [stream, `KV_${stream}_leases`]) {
      assert.equal((await manager.streams.info(name)).config.max_consumers, newer ? 1_000_000 : -1);
    }
    const { code, stderr } = await natspoc(['stream', 'create', '--prefix', stream], 'few');
    assert.equal(code, 0, stderr);
  });

  it('an existing stream with interest retention is refused', async () => {
    await manager.streams.add({
      name: stream,
      subjects: [`${stream}.p.*`],
      retention: RetentionPolicy.Interest,
    });
    const refused = await create('--prefix', stream);
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /has interest retention/);
    assert.deepEqual(await leftovers(), [stream]);
  });
});

describe('a foreign stream that loses messages', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let streams = 0;
  let stream = '';

  before(async () => {
    connection = await connect({ servers: server.url });
    manager = await connection.jetstreamManager();
  });
  after(() => connection.close());
  beforeEach(() => {
    stream = `L${++streams}`;
  });
  afterEach(stopAll);

  const natspoc = (...args: string[]): Promise<CliExit> =>
    runCli([...args, '--stream', stream, '--prefix', stream], { env: { NATS_URL: server.url } });
  const add = (change: Partial<StreamConfig>) =>
    manager.streams.add({ name: stream, subjects: [`${stream}.p.*`], ...change });
  const addBucket = (change: Partial<StreamConfig>) =>
    manager.streams.add({
      name: `KV_${stream}_leases`,
      subjects: [`$KV.${stream}_leases.>`],
      allow_rollup_hdrs: true,
      ...change,
    });
  const COMMANDS = {
    handle: ['consume', '--until-caught-up'],
    publish: ['publish', 'x', '--count', '10'],
    create: ['stream', 'create'],
  };

  async function refused(which: (keyof typeof COMMANDS)[], message: RegExp): Promise<void> {
    for (const use of which) {
      const { code, stderr } = await natspoc(...COMMANDS[use]);
      assert.equal(code, 4, `${use}: ${stderr}`);
      assert.match(stderr, message);
      assert.equal(stderr.split('\n').length, 1, stderr);
    }
  }

  it('members, publishers and stream create refuse a stream for its retention', async () => {
    await add({ retention: RetentionPolicy.Workqueue });
    await refused(['handle', 'publish', 'create'], /^Error: Stream L\d+ has work queue retention: /);
  });

  it('a stream is refused after its retention was changed, and the remedy works if the server supports it', async () => {
    await add({ retention: RetentionPolicy.Interest });
    await refused(['publish'], /--retention limits" \(nats-server 2\.10 or newer\)/);
    const { config } = await manager.streams.info(stream);
    const cured = await manager.streams
      .update(stream, { ...config, retention: RetentionPolicy.Limits } as Partial<StreamConfig>)
      .then(() => true)
      .catch((error: unknown) => String(error));
    if (/^2\.9\./.test(server.version)) assert.match(String(cured), /can not change retention policy/);
    else assert.equal((await natspoc(...COMMANDS.publish)).code, 0);
  });

  it('a stream that does not confirm messages is refused by publishers, but can be read', async () => {
    await add({ no_ack: true });
    await refused(['publish', 'create'], /^Error: Stream L\d+ has no_ack: .*nats stream edit L\d+ --ack/);
    connection.publish(`${stream}.p.3`, 'x');
    await connection.flush();
    const { code, stdout } = await natspoc('consume', '--until-caught-up', '--output', 'ndjson');
    assert.deepEqual([code, stdout.split('\n').length], [0, 1]);
  });

  it('a stream that is sealed or a mirror is refused', async () => {
    await add({});
    const { config } = await manager.streams.info(stream);
    await manager.streams.update(stream, { ...config, sealed: true } as Partial<StreamConfig>);
    await refused(['publish'], /is sealed/);
    const source = stream;
    stream = `M${streams}`;
    await manager.streams.add({ name: stream, mirror: { name: source } });
    await refused(['handle', 'publish'], new RegExp(`^Error: Stream ${stream} is a mirror of ${source}, `));
  });

  it('a stream that may lose messages causes a warning, in the stream command too', async () => {
    await add({ max_msgs_per_subject: 5 });
    for (const command of ['publish', 'handle'] as const) {
      const { code, stderr } = await natspoc(...COMMANDS[command]);
      assert.equal(code, 0, stderr);
      assert.match(
        stderr,
        /^[Ww]arning: Stream L\d+ keeps 5 messages of a subject \(max_msgs_per_subject\)/m,
      );
    }
    const { stdout } = await natspoc('stream', '--json');
    const { concerns } = JSON.parse(stdout);
    assert.deepEqual(
      concerns.map(({ severity, setting }: { severity: string; setting: string }) => [severity, setting]),
      [['warning', 'max_msgs_per_subject']],
    );
    assert.match((await natspoc('stream')).stdout, /^Warning +Stream L\d+ keeps 5 messages/m);
  });

  it('a bucket that keeps no entries, and a bucket of another kind, are refused', async () => {
    await addBucket({ retention: RetentionPolicy.Interest });
    await refused(['handle', 'publish', 'create'], /^Error: Bucket L\d+_leases has interest retention/);
    await manager.streams.delete(`KV_${stream}_leases`);
    await addBucket({ subjects: [`${stream}.other`] });
    await refused(['handle', 'publish', 'create'], /^Error: Bucket L\d+_leases is not a KV bucket/);
    const names = await manager.streams.names().next();
    assert.ok(!names.includes(stream), 'no stream was created');
  });
});
