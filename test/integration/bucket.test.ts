import assert from 'node:assert/strict';
import { headers } from 'nats';
import { fenceMember } from '../../src/core/admin/fence.js';
import { loadConfig } from '../../src/core/config/config.js';
import { systemClock } from '../../src/core/lib/clock.js';
import { connectNats } from '../../src/core/nats/client/connection.js';
import { bucketStream, bucketSubject, NatsBucket } from '../../src/core/nats/kv/bucket.js';
import { openTopology } from '../../src/core/nats/stream/topology.js';
import type { Watch } from '../../src/core/ports/index.js';
import { TcpProxy } from '../support/proxy.js';
import { startTestServer, withServer } from '../support/server.js';
import { until } from '../support/until.js';

describe('the bucket on a server', () => {
  const server = withServer();

  it('the bucket treats every form of "wrong last sequence" as a conflict, and "too many requests" as temporary', async () => {
    const config = loadConfig({ flags: { server: server.url }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      // Clusters from 2.12 on report a conflict without the last sequence while another write is in flight. That is hard to provoke, so the
      // test itself sends the answers.
      const codes = [10071, 10164];
      const overload = { code: 429, err_code: 10167, description: 'too many requests' };
      connection.subscribe('$KV.answers.*', {
        callback: (_error, message) => {
          const err_code = codes[Number(message.subject.split('.').at(-1))];
          const conflict = { code: 400, err_code, description: 'wrong last sequence' };
          const error = err_code === undefined ? overload : conflict;
          message.respond(new TextEncoder().encode(JSON.stringify({ error })));
        },
      });
      const manager = await connection.jetstreamManager({ checkAPI: false });
      const bucket = new NatsBucket({ connection, manager, inboxPrefix: undefined }, 'answers', 5_000);
      for (const key of codes.keys()) {
        assert.deepEqual(await bucket.write(String(key), new Uint8Array(), 1), { kind: 'conflict' });
      }
      assert.deepEqual(await bucket.write('overload', new Uint8Array(), 1), {
        kind: 'unknown',
        refusal: 'bucket answers refuses writes (too many requests)',
      });
    } finally {
      await connection.close();
    }
  });

  it('the bucket reads a snapshot again if its last entry never arrives', async () => {
    const proxy = await TcpProxy.start(server.port);
    const config = loadConfig({ flags: { server: proxy.url }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      const { bucket } = await openTopology(connection, config, { create: true });
      for (const key of ['group.g.a', 'group.g.b', 'group.g.c'])
        await bucket.write(key, new Uint8Array(1), 0);
      // A delivery with a pending count of 0 normally completes the snapshot. The proxy swallows it.
      proxy.swallow(/ \$JS\.ACK\.\S+\.natspoc-watch-\S+\.0 /);
      const snapshots: string[][] = [];
      const watch = bucket.watch('group.g.', {
        snapshot: (entries) => snapshots.push(entries.map(({ key }) => key)),
        changes: () => {},
        failed: (error) => assert.fail(error),
      });
      await until('a snapshot has arrived', () => snapshots.length > 0);
      watch.stop();
      assert.equal(proxy.isHungry, false, 'the first snapshot was incomplete');
      assert.deepEqual(snapshots, [['group.g.a', 'group.g.b', 'group.g.c']]);
    } finally {
      await connection.close();
      await proxy.stop();
    }
  });

  it('the bucket keeps previous values of a key, and cannot be emptied by a client that may write a single key', async () => {
    const config = loadConfig({ flags: { server: server.url }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      const { bucket, manager } = await openTopology(connection, config, { create: true });
      const key = 'group.kept.a';
      const written = await bucket.write(key, new Uint8Array(1), 0);
      assert.ok(written.kind === 'ok');
      assert.equal((await bucket.remove(key, written.revision + 1)).kind, 'conflict');
      assert.equal((await bucket.remove(key, written.revision)).kind, 'ok');
      const read = await bucket.read(key);
      assert.ok(read.kind === 'found' && read.entry.value === null);
      const stream = bucketStream(config.bucket);
      const past = await manager.streams.getMessage(stream, { seq: written.revision });
      assert.equal(past.data.length, 1);
      const { messages } = (await manager.streams.info(stream)).state;
      for (const scope of ['all', 'sub']) {
        const rollup = headers();
        rollup.set('Nats-Rollup', scope);
        const options = { timeout: 5_000, headers: rollup };
        const answer = await connection.request(bucketSubject(config.bucket, key), '', options);
        assert.match(answer.string(), /rollup not permitted/);
      }
      assert.equal((await manager.streams.info(stream)).state.messages, messages);
    } finally {
      await connection.close();
    }
  });

  it('a request to the bucket times out after a fifth of the ttl, even with a longer --timeout', async () => {
    // Longer than the test may take: a request that waits for this timeout fails the test.
    const config = loadConfig({ flags: { server: server.url, timeoutMs: '10m', ttlMs: '1s' }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      const { bucket } = await openTopology(connection, config, { create: true });
      await server.suspend();
      const outcomes = [
        await bucket.read('layout'),
        await bucket.write('position.default.0', new Uint8Array(), 0),
        await bucket.remove('position.default.0', 1),
      ];
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['unknown', 'unknown', 'unknown'],
      );
    } finally {
      server.resume();
      await connection.close();
    }
  });

  it('the bucket reports an unanswered fencing as failed, not as a session that renews', async () => {
    const config = loadConfig({ flags: { server: server.url, ttlMs: '1s' }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      const { bucket } = await openTopology(connection, config, { create: true });
      await server.suspend();
      const fenced = await fenceMember({ bucket, clock: systemClock }, config.group, 'somebody');
      assert.deepEqual(fenced, { kind: 'failed', message: 'the server did not answer in time' });
    } finally {
      server.resume();
      await connection.close();
    }
  });

  it('a watch continues when there is room for its consumer again', async function () {
    this.timeout(60_000);
    const account = (maxConsumers: number): string => `
      accounts { A {
        jetstream: { max_mem: 1GB, max_file: 1GB, max_streams: -1, max_consumers: ${maxConsumers} }
        users: [ { user: a, password: a } ]
      } }
      no_auth_user: a
    `;
    const limited = await startTestServer({ config: account(-1) });
    const config = loadConfig({ flags: { server: limited.url }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      const { bucket, manager } = await openTopology(connection, config, { create: true });
      // Unlike the consumer of a watch, this one survives a restart of the server.
      await manager.consumers.add(bucketStream(config.bucket), { durable_name: 'occupant' });
      const seen: string[] = [];
      let snapshots = 0;
      const watch = bucket.watch('group.g.', {
        snapshot: () => snapshots++,
        changes: (entries) => seen.push(...entries.map(({ key }) => key)),
        failed: (error) => seen.push(error.message),
      });
      await until('a snapshot has arrived', () => snapshots > 0);
      const refusals = connection.stats();
      // When the bucket was restored from an older copy, a member starts another watch.
      let anew: Watch | undefined;
      let later = 0;
      for (const next of [account(1), account(-1)]) {
        await limited.kill();
        limited.configure(next);
        await limited.start();
        if (next === account(-1)) break;
        const before = refusals.outMsgs;
        await until('the watch was requested', () => connection.stats().outMsgs > before + 8, 20_000);
        anew = bucket.watch('group.h.', {
          snapshot: () => later++,
          changes: () => {},
          failed: (error) => seen.push(error.message),
        });
        await until('both were requested', () => connection.stats().outMsgs > before + 24, 20_000);
      }
      await until('both watches have a new snapshot', () => snapshots > 1 && later > 0, 20_000);
      await bucket.write('group.g.a', new Uint8Array(1), 0);
      await until('a change has arrived', () => seen.length > 0);
      assert.deepEqual(seen, ['group.g.a']);
      watch.stop();
      anew?.stop();
    } finally {
      await connection.close();
      await limited.stop();
    }
  });
});
