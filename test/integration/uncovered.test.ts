import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { joinGroup } from '../../src/core/index.js';
import type { Uncovered } from '../../src/core/ports/facts.js';
import { type CliExit, runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

/** With more subjects than this, a stream's subjects are not listed. */
const MANY_SUBJECTS = 10_001;

describe('messages that belong to no partition', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;

  const natspoc = (...args: string[]): Promise<CliExit> =>
    runCli([...args, '--server', server.url, '--stream', 'APP']);
  const jsonOf = async (...args: string[]) => JSON.parse((await natspoc(...args, '--json')).stdout);

  before(async () => {
    connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'APP', subjects: ['app.>'] });
    const jetstream = connection.jetstream();
    for (const subject of ['app.p.0', 'app.p.3.c1', 'app.p.4', 'app.other.x', 'app.other.x'])
      await jetstream.publish(subject, 'x');
  });

  after(async () => {
    await stopAll();
    await connection.close();
  });

  it('a member reports messages that belong to no partition once, with an example', async () => {
    const flags = ['--prefix', 'app', '--partitions', '4', '--until-caught-up'];
    const { stdout, stderr, code } = await natspoc('consume', '--output', 'ndjson', ...flags);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.split('\n').length, 2);
    const told = stderr.split('\n').filter((line) => line.includes('no partition'));
    assert.equal(told.length, 1, stderr);
    assert.match(told[0] ?? '', /warning: 3 messages of the stream belong to no partition, such as app\./);
    const found: Uncovered[] = [];
    await using _member = await joinGroup({
      servers: server.url,
      stream: 'APP',
      group: 'program',
      handler: async () => {},
      logger: false,
      listen: (joining) => {
        joining.on('uncovered', (each) => found.push(each));
      },
    });
    await until('the member reports the messages', () => found.length > 0);
    assert.equal(found[0]?.messages, 3);
  });

  it('messages that belong to no partition are shown by leases and stream, and fail the check', async () => {
    assert.equal((await jsonOf('leases')).uncovered.messages, 3);
    assert.match((await natspoc('leases')).stdout, /^! 3 messages of the stream belong to no partition/m);
    assert.equal((await jsonOf('stream')).uncovered.messages, 3);
    assert.match(
      (await natspoc('stream')).stdout,
      /Warning.*3 messages of the stream belong to no partition/,
    );
    const { stdout, code } = await natspoc('leases', 'check', '--json');
    assert.equal(code, 5);
    const kinds: { kind: string }[] = JSON.parse(stdout).findings;
    assert.ok(kinds.some(({ kind }) => kind === 'uncovered'));
    assert.match(
      (await natspoc('leases', 'check')).stdout,
      /belong to no partition.* Read them with a group that has a --key, .* or delete them with/,
    );
    const tail = (await natspoc('stream', 'tail', '--no-follow', '--json')).stdout.split('\n');
    assert.deepEqual(
      tail.map((line) => JSON.parse(line)).map(({ partition }) => partition),
      [0, 3, null],
    );
  });

  it('messages that belong to no partition are counted in a stream with many subjects too', async () => {
    for (let i = 0; i < MANY_SUBJECTS; i++) connection.publish(`app.p.1.c${i}`, 'x');
    await connection.flush();
    const manager = await connection.jetstreamManager();
    await until(
      'all messages are stored',
      async () => (await manager.streams.info('APP')).state.messages > MANY_SUBJECTS,
    );
    const { uncovered } = await jsonOf('leases');
    // The stream has too many subjects to list. So messages beyond the last partition are not recognized.
    assert.deepEqual(uncovered, { messages: 2, example: null });
    const { partitions } = await jsonOf('stream');
    assert.equal(partitions[1].messages, null);
  });
});
