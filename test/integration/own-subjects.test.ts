import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { createPublisher } from '../../src/core/index.js';
import { type CliExit, runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';

describe('publishing to the subjects of an existing stream', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;

  const publish = (...args: string[]): Promise<CliExit> =>
    runCli([
      'publish',
      '--server',
      server.url,
      '--quiet',
      ...(args.includes('--stream') ? [] : ['--stream', 'ORDERS']),
      ...args,
    ]);

  before(async () => {
    connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.*.*'] });
  });

  after(async () => {
    await stopAll();
    await connection.close();
  });

  const subjects = async (): Promise<Record<string, number>> => {
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info('ORDERS', { subjects_filter: '>' });
    return state.subjects ?? {};
  };

  it('publish --subject fills a template with the key of each message, confirms each message, and changes nothing else', async () => {
    const flags = ['--keys', '5', '--count', '100', '--ordered', '--dedupe', '--json'];
    const { stdout, stderr, code } = await publish('--subject', 'orders.{{key}}.n{{Count}}', ...flags);
    assert.equal(code, 0, stderr);
    const { confirmed, reordered, partitions, subject } = JSON.parse(stdout);
    assert.deepEqual([confirmed, reordered, partitions], [100, 0, null]);
    assert.equal(subject, 'orders.{{key}}.n{{Count}}');
    const found = Object.keys(await subjects());
    assert.equal(found.length, 100);
    assert.ok(found.includes('orders.key-0.n1') && found.includes('orders.key-4.n100'), found.join(' '));
    const manager = await connection.jetstreamManager();
    const names: string[] = [];
    for await (const { config } of manager.streams.list()) names.push(config.name);
    assert.deepEqual(names, ['ORDERS']);
  });

  it('publish --subject refuses in one line a subject to which the stream does not listen', async () => {
    for (const [reason, ...args] of [
      [/the stream does not listen to other\.x, but to orders\.\*\.\*/, '--subject', 'other.x'],
      [/"orders\.a b\.c" is not a subject/, '--subject', 'orders.{{key}}.c', '--key', 'a b'],
      [/\{\{key\}\} needs a key/, '--subject', 'orders.{{key}}.c'],
      [/There is no stream NONE/, '--subject', 'orders.a.b', '--stream', 'NONE'],
    ] satisfies [RegExp, ...string[]][]) {
      const { stdout, stderr, code } = await publish('--count', '3', ...args);
      assert.notEqual(code, 0, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, reason);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
  });

  it('a program can give a subject with each message', async () => {
    await using publisher = await createPublisher({
      servers: server.url,
      stream: 'ORDERS',
      ownSubjects: true,
      ordered: true,
    });
    const places = await Promise.all(
      ['a', 'b', 'a'].map((key) => publisher.publish({ subject: `orders.${key}.paid`, key, data: 'x' })),
    );
    assert.equal(places[0]?.partition, places[2]?.partition);
    assert.equal((await subjects())['orders.a.paid'], 2);
    await assert.rejects(publisher.publish({ data: 'x' }), /each message must name its subject/);
    await assert.rejects(
      publisher.publish({ data: 'x', subject: 'orders.a' }),
      /does not listen to orders\.a/,
    );
  });

  it('a subject that is too long is refused before it breaks the connection, even with the longest inbox prefix', async () => {
    let breaks = 0;
    await using publisher = await createPublisher({
      servers: server.url,
      stream: 'ORDERS',
      ownSubjects: true,
      inboxPrefix: 'i'.repeat(1_024),
      observer: { disconnected: () => void breaks++ },
      logger: false,
    });
    const long = { subject: `orders.${'é'.repeat(1_495)}.xx`, data: 'x', key: 'k', id: 'one' };
    assert.equal(Buffer.byteLength(long.subject), 3_000);
    await publisher.publish(long);
    await assert.rejects(publisher.publish({ ...long, subject: `${long.subject}x` }), {
      code: 'usage',
      stored: 'no',
      message: 'The subject has 3001 bytes, and at most 3000 are possible. Shorten it.',
    });
    const cli = await publish('--subject', `orders.${'x'.repeat(5_000)}.x`, 'hello');
    assert.notEqual(cli.code, 0);
    assert.match(cli.stderr, /^Error: The subject has 5009 bytes/);
    assert.equal(breaks, 0);
  });
});
