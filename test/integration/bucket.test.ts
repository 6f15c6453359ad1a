import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config.js';
import { NatsBucket } from '../../src/core/nats/bucket.js';
import { connectNats } from '../../src/core/nats/connection.js';
import { openTopology } from '../../src/core/nats/topology.js';
import { withServer } from '../support/server.js';

describe('the bucket on a server', () => {
  const server = withServer();

  it('takes each way in which servers say "wrong last sequence" for a conflict', async () => {
    const config = loadConfig({ flags: { server: server.url }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      // Clusters from 2.12 on say it without the number, where another write is on its way: hard to come by.
      const codes = [10071, 10164];
      connection.subscribe('$KV.answers.*', {
        callback: (_error, message) => {
          const err_code = codes[Number(message.subject.split('.').at(-1))];
          const error = { code: 400, err_code, description: 'wrong last sequence' };
          message.respond(new TextEncoder().encode(JSON.stringify({ error })));
        },
      });
      const manager = await connection.jetstreamManager({ checkAPI: false });
      const bucket = new NatsBucket({ connection, manager, inboxPrefix: undefined }, 'answers', 5_000);
      for (const key of codes.keys()) {
        assert.deepEqual(await bucket.write(String(key), new Uint8Array(), 1), { kind: 'conflict' });
      }
    } finally {
      await connection.close();
    }
  });

  it('gives a question up after a fifth of the ttl, however long people are ready to wait', async () => {
    // Longer than a test may take: an answer that waits for this never comes.
    const config = loadConfig({ flags: { server: server.url, timeoutMs: '10m', ttlMs: '1s' }, env: {} });
    const connection = await connectNats(config, 'test');
    try {
      const { bucket } = await openTopology(connection, config, { create: true });
      server.suspend();
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
});
