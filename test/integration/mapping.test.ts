import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { partitionOf } from '../../src/core/protocol/layout.js';
import { type CliExit, runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';

const PARTITIONS = 4;
const CUSTOMERS = 10;
const MAPPED = 200;
const PUBLISHED = 40;

interface Line {
  partition: number;
  subject: string;
  data: string;
}

describe('a stream filled through a mapping of the server, with tokens after the partition', function () {
  this.timeout(60_000);
  const server = withServer({
    config: `mappings = { "orders.*.*": "app.p.{{partition(${PARTITIONS},1)}}.{{wildcard(1)}}.{{wildcard(2)}}" }`,
  });
  let connection: NatsConnection;

  const natspoc = (...args: string[]): Promise<CliExit> =>
    runCli([...args, '--server', server.url, '--stream', 'APP', '--bucket', 'APP_leases']);
  const json = async (...args: string[]) => JSON.parse((await natspoc(...args, '--json')).stdout);

  before(async () => {
    connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'APP', subjects: ['app.p.>'] });
    const layout = ['--prefix', 'app', '--partitions', `${PARTITIONS}`];
    const published = await natspoc('publish', '--count', `${PUBLISHED}`, ...layout);
    assert.equal(published.code, 0, published.stderr);
    const jetstream = connection.jetstream();
    for (let i = 0; i < MAPPED; i++) await jetstream.publish(`orders.c${i % CUSTOMERS}.n${i}`, `${i}`);
  });

  after(async () => {
    await stopAll();
    await connection.close();
  });

  it('messages with tokens after the partition are all handled in order, together with messages without such tokens', async () => {
    const { stdout, stderr, code } = await natspoc('consume', '--until-caught-up', '--output', 'ndjson');
    assert.equal(code, 0, stderr);
    const lines = stdout.split('\n').map((line): Line => JSON.parse(line));
    assert.equal(lines.length, MAPPED + PUBLISHED);
    const last = new Map<string, number>();
    for (const { subject, partition, data } of lines) {
      const [, , place, customer] = subject.split('.');
      assert.equal(Number(place), partition);
      if (customer === undefined) continue;
      assert.equal(partition, partitionOf(customer, PARTITIONS));
      assert.ok(Number(data) > (last.get(customer) ?? -1));
      last.set(customer, Number(data));
    }
  });

  it('messages with tokens after the partition are counted per partition, and there is no lag when they are handled', async () => {
    const stream = await json('stream');
    const counts: { messages: number; end: number }[] = stream.partitions;
    assert.equal(
      counts.reduce((sum, { messages }) => sum + messages, 0),
      MAPPED + PUBLISHED,
    );
    assert.equal(Math.max(...counts.map(({ end }) => end)), MAPPED + PUBLISHED);
    const status = await json('leases');
    assert.equal(status.totals.lag, 0);
    // A position moves with the reader, even past messages of other partitions.
    const ends: { position: number; end: number }[] = status.partitions;
    assert.ok(ends.some(({ position }, partition) => position > (counts[partition]?.end ?? 0)));
    for (const { position, end } of ends) assert.ok(position <= end, `${position} of ${end}`);
    await connection.jetstream().publish('orders.c1.late', 'late');
    assert.equal((await json('leases')).totals.lag, 1);
  });

  it('stream tail shows messages with tokens after the partition, of all partitions or of one', async () => {
    const place = partitionOf('c1', PARTITIONS);
    const tail = ['stream', 'tail', '--no-follow', '--json', '--last', '500'];
    const all = (await natspoc(...tail)).stdout.split('\n');
    assert.equal(all.length, MAPPED + PUBLISHED + 1);
    const some = (await natspoc(...tail, '--partition', `${place}`)).stdout.split('\n');
    assert.ok(some.length < all.length && some.length > MAPPED / CUSTOMERS);
    for (const line of some) assert.equal(JSON.parse(line).partition, place);
  });
});
