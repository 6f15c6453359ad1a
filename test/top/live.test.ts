import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config/config.js';
import { connectNats } from '../../src/core/nats/client/connection.js';
import { bucketStream } from '../../src/core/nats/kv/bucket.js';
import { LiveFeed } from '../../src/top/feed.js';
import type { Model } from '../../src/top/model/model.js';
import { memberRows, partitionRows } from '../../src/top/model/select.js';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

describe('the live feed of top', function () {
  this.timeout(60_000);
  const server = withServer();
  const opened: (() => Promise<void>)[] = [];
  let streams = 0;

  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
    await stopAll();
  });

  async function open(url = server.url, timeoutMs = '10s') {
    const env = {
      STREAM_NAME: `T${++streams}`,
      SUBJECT_PREFIX: `T${streams}.e`,
      PARTITIONS: '2',
      LEASE_TTL: '2s',
    };
    const config = loadConfig({ flags: { server: url, timeoutMs }, env });
    const connection = await connectNats(config, 'top');
    const feed = new LiveFeed(connection, config, undefined);
    opened.push(async () => {
      feed.stop();
      await connection.close();
    });
    const at = { env: { ...env, NATS_URL: server.url } };
    return {
      feed,
      manager: await connection.jetstreamManager(),
      config,
      consume: (name: string) => startCli(['consume', '--name', name, '--output', 'none'], at),
      publish: (count: number) => runCli(['publish', '--count', String(count), '--quiet'], at),
      shows: (what: string, holds: (model: Model) => boolean) =>
        until(
          what,
          async () => {
            await feed.round();
            return holds(feed.model);
          },
          30_000,
        ),
    };
  }
  const owners = (model: Model) => partitionRows(model).map(({ owner }) => owner);

  it('after the stream and the bucket are deleted and made again, an open top shows the new group', async () => {
    const { feed, manager, config, consume, publish, shows } = await open();
    await publish(50);
    const old = consume('old');
    await old.tookOver(2);
    await shows(
      'the old group',
      (model) => owners(model).join() === 'old,old' && model.messages.length === 50,
    );
    old.signal('SIGKILL');
    await old.exited;
    await manager.streams.delete(config.stream);
    await manager.streams.delete(bucketStream(config.bucket));
    await shows('the loss', (model) => model.missing !== null && memberRows(model).length === 0);

    await publish(3);
    await consume('new').tookOver(2);
    await shows(
      'the new group',
      (model) => owners(model).join() === 'new,new' && model.messages.length === 3,
    );
    assert.deepEqual(
      memberRows(feed.model).map(({ name }) => name),
      ['new'],
    );
    await shows('the positions', (model) => partitionRows(model).every(({ lag }) => lag === 0));
    assert.ok(
      partitionRows(feed.model).every(({ position, end }) => (position ?? 0) <= 3 && (end ?? 0) <= 3),
    );
  });

  it('after the stream is deleted and made again at once, an open top shows the new messages', async () => {
    const { manager, config, publish, shows, consume } = await open();
    await publish(50);
    await consume('only').tookOver(2);
    await shows('the old messages', ({ messages }) => messages.length === 50);
    const made = (await manager.streams.info(config.stream)).config;
    await manager.streams.delete(config.stream);
    await manager.streams.add(made);
    await publish(3);
    await shows(
      'the new messages',
      ({ messages }) => messages.map(({ sequence }) => sequence).join() === '1,2,3',
    );
  });

  it('a history that is not read in time leaves no lasting warning', async () => {
    const proxy = await TcpProxy.start(server.port);
    opened.unshift(() => proxy.stop());
    const { feed, consume, shows } = await open(proxy.url, '1s');
    await consume('only').tookOver(2);
    proxy.swallow(/\$KV\.\S+\.lease/);
    await shows('the group', (model) => owners(model).join() === 'only,only');
    assert.ok(!proxy.isHungry, 'a past lease was lost');
    assert.deepEqual(feed.model.problems, new Map());
  });
});
