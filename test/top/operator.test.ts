import assert from 'node:assert/strict';
import { NatsError } from 'nats';
import { GroupAdmin } from '../../src/core/admin/group-admin.js';
import type { GroupPorts } from '../../src/core/admin/group-admin-contract.js';
import { loadConfig } from '../../src/core/config/config.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import { connectNats } from '../../src/core/nats/client/connection.js';
import { GroupOperator } from '../../src/top/act/operator.js';
import { LiveFeed } from '../../src/top/feed.js';
import { runCli } from '../support/cli.js';
import { withServer } from '../support/server.js';

describe('the actions of the screen', () => {
  const server = withServer();

  it('dead letters can be listed while their stream is still being opened', async () => {
    const flags = { server: server.url, stream: 'OPENING', prefix: 'opening' };
    const config = loadConfig({ flags, env: {} });
    const connection = await connectNats(config, 'test');
    const feed = new LiveFeed(connection, config, undefined);
    try {
      await assert.rejects(feed.operator.letters.list(), /There is no stream OPENING/);
      await runCli([
        'stream',
        'create',
        '--stream',
        'OPENING',
        '--prefix',
        'opening',
        '--server',
        server.url,
      ]);
      assert.deepEqual(await feed.operator.letters.list(), []);
    } finally {
      feed.stop();
      await connection.close();
    }
  });

  it('every action that fails says what could not be done, in an error of this program', async () => {
    const fail = () => Promise.reject(new NatsError('DISCONNECT', 'DISCONNECT'));
    const watch = () => {
      throw new NatsError('DISCONNECT', 'DISCONNECT');
    };
    // The actions use only these ports.
    const ports = { group: 'g', control: { ask: fail }, observer: { watch } } as unknown as GroupPorts;
    const group = new GroupAdmin(loadConfig({ flags: {}, env: {} }), 1, ports);
    const operator = new GroupOperator(
      () => group,
      () => Promise.reject(new NatspocError('failed', 'There is no stream.')),
    );
    const actions = [
      operator.askToStop('s'),
      operator.release(0),
      operator.pause(0, true),
      operator.retry(0),
      operator.end('s', { leaves: true, tell: async () => undefined }),
    ];
    for (const action of actions)
      await assert.rejects(action, (error) => {
        assert.ok(error instanceof NatspocError, String(error));
        assert.match(error.message, /^Could not .*: the connection to NATS was lost\.$/);
        return true;
      });
    operator.close();
  });
});
