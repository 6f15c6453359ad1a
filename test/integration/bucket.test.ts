import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config.js';
import { connectNats } from '../../src/core/nats/connection.js';
import { openTopology } from '../../src/core/nats/topology.js';
import { withServer } from '../support/server.js';

describe('the bucket on a server', () => {
  const server = withServer();

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
