import assert from 'node:assert/strict';
import type { JetStreamManager, StreamConfig } from 'nats';
import { loadConfig } from '../../src/core/config/config.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import { connectNats, type NatsConnection } from '../../src/core/nats/client/connection.js';
import { openTopology } from '../../src/core/nats/stream/topology.js';
import { type CliExit, runCli, stopAll } from '../support/cli.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';

function assertRefused(exit: CliExit, message: RegExp): void {
  assert.equal(exit.code, 4, exit.stderr);
  assert.match(exit.stderr, message);
  assert.equal(exit.stderr.trim().split('\n').length, 1, exit.stderr);
}

describe('one layout for a stream', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;
  let manager: JetStreamManager;

  before(async () => {
    const config = loadConfig({ flags: { server: server.url }, env: {} });
    connection = await connectNats(config, 'test');
    ({ manager } = await openTopology(connection, config, { create: true }));
  });
  after(async () => {
    await stopAll();
    await connection.close();
  });

  const run = (...args: string[]): Promise<CliExit> => runCli([...args, '--server', server.url]);
  const buckets = async (): Promise<string[]> => {
    const names = await manager.streams.names().next();
    return names.filter((name) => name.startsWith('KV_')).sort();
  };

  it('a partition count and a prefix that differ from the stored layout are refused, both values are named, and nothing is created', async () => {
    const before = await buckets();
    for (const bucket of ['EVENTS_leases', 'fresh']) {
      const count = await run('consume', '--bucket', bucket, '--partitions', '5');
      assertRefused(count, /has 8 partitions, but --partitions is 5\..* Omit --partitions /);
      const prefix = await run('publish', 'x', '--bucket', bucket, '--prefix', 'other');
      assertRefused(prefix, /subject\.events, but --prefix is other\. Omit --prefix /);
    }
    const variable = await runCli(['consume', '--server', server.url], { env: { PARTITIONS: '5' } });
    assertRefused(variable, /but PARTITIONS is 5\..* Omit PARTITIONS /);
    assert.deepEqual(await buckets(), before);
  });

  it('the layout is requested again if the answer was lost', async () => {
    const proxy = await TcpProxy.start(server.port);
    // Longer than the test may take: a command that waits for this timeout fails the test.
    const config = loadConfig({ flags: { server: proxy.url, timeoutMs: '10m' }, env: {} });
    const own = await connectNats(config, 'test');
    try {
      proxy.swallow(/^MSG _INBOX\S+ \S+ \d+$/);
      const { layout } = await openTopology(own, config, { create: false });
      assert.equal(proxy.isHungry, false);
      assert.equal(layout.partitions, 8);
    } finally {
      await own.close();
      await proxy.stop();
    }
  });

  it('the layout is the same in another bucket of the stream', async () => {
    const config = loadConfig({ flags: { server: server.url, bucket: 'second' }, env: {} });
    const { layout } = await openTopology(connection, config, { create: true });
    assert.deepEqual([layout.partitions, layout.prefix], [8, 'subject.events']);
  });

  it('the layout is read from the stream if a full bucket has lost it', async () => {
    const flags = { server: server.url, stream: 'FULL', bucket: 'full', prefix: 'full.events' };
    const { bucket } = await openTopology(connection, loadConfig({ flags, env: {} }), { create: true });
    await bucket.write('other', new Uint8Array(1), 0);
    await manager.streams.purge('KV_full', { filter: '$KV.full.layout' });
    const { config, state } = await manager.streams.info('KV_full');
    await manager.streams.update('KV_full', { ...config, max_bytes: state.bytes });
    const of = ['--stream', 'FULL', '--bucket', 'full'];
    const published = await run('publish', 'x', '--count', '3', '--quiet', ...of);
    assert.equal(published.code, 0, published.stderr);
    const joining = await run('consume', ...of, '--timeout', '500ms');
    assert.equal(joining.code, 1, joining.stderr);
    assert.match(
      joining.stderr,
      /where group \S+ starts: bucket full refuses writes \(maximum bytes exceeded\)/,
    );
  });

  it('a layout is refused if bucket and stream disagree, and the error names both layouts', async () => {
    const flags = { server: server.url, stream: 'OTHER', bucket: 'third', prefix: 'other', partitions: '4' };
    await openTopology(connection, loadConfig({ flags, env: {} }), { create: true });
    await manager.streams.delete('OTHER');
    const wider = { ...flags, bucket: 'fourth', partitions: '6' };
    await openTopology(connection, loadConfig({ flags: wider, env: {} }), { create: true });
    const exit = await run('consume', '--stream', 'OTHER', '--bucket', 'third');
    assertRefused(
      exit,
      /was created with 6 partitions of other, but bucket third says 4 partitions of other/,
    );
  });

  it('a layout is refused if it has too many partitions, or a prefix that is not a subject', async () => {
    const flags = { server: server.url, stream: 'HUGE', prefix: 'huge' };
    const { bucket } = await openTopology(connection, loadConfig({ flags, env: {} }), { create: true });
    const { config } = await manager.streams.info('HUGE');
    const described = (layout: object) => `natspoc layout ${JSON.stringify(layout)}`;
    let revision = 1;
    for (const change of [
      { partitions: 65_537 },
      { partitions: 10_000_000 },
      { partitions: 1e15 },
      { prefix: 'a.>' },
      { prefix: 'a b' },
      { prefix: 'x'.repeat(100_000) },
    ]) {
      const layout = { v: 1, prefix: 'huge', partitions: 8, hash: 'fnv1a32', ...change };
      const written = await bucket.write(
        'layout',
        new TextEncoder().encode(JSON.stringify(layout)),
        revision,
      );
      assert.ok(written.kind === 'ok');
      revision = written.revision;
      await manager.streams.update('HUGE', { ...config, description: '' });
      const refused = (place: RegExp) =>
        assert.rejects(
          openTopology(connection, loadConfig({ flags, env: {} }), { create: true }),
          (error) => {
            assert.ok(error instanceof NatspocError && error.code === 'layout-mismatch');
            assert.match(error.message, place);
            return error.message.length < 300;
          },
        );
      await refused(/^The layout in bucket HUGE_leases (is not natspoc's|cannot be read): /);
      if (layout.prefix.length > 100) continue;
      await manager.streams.update('HUGE', { ...config, description: described(layout) });
      await refused(/^The layout in (bucket|the description of stream) HUGE/);
    }
    assertRefused(await run('publish', '--stream', 'HUGE'), /The layout in bucket HUGE_leases /);
  });

  it('a layout is kept only in a bucket that cannot lose it', async () => {
    const subjects = (name: string): Pick<StreamConfig, 'name' | 'subjects'> => ({
      name: `KV_${name}`,
      subjects: [`$KV.${name}.>`],
    });
    await manager.streams.add({ ...subjects('forgetful'), max_age: 60_000_000_000 });
    await manager.streams.add({ ...subjects('small'), max_bytes: 1_000_000 });
    await manager.streams.add({ ...subjects('volatile'), storage: 'memory' as StreamConfig['storage'] });
    const refused = {
      forgetful: 'has a TTL',
      small: 'drops old entries',
      volatile: 'is kept in memory only',
    };
    for (const [bucket, reason] of Object.entries(refused)) {
      assertRefused(
        await run('consume', '--bucket', bucket),
        new RegExp(`^Error: Bucket ${bucket} ${reason}`),
      );
    }
  });
});
