import assert from 'node:assert/strict';
import type { KV } from 'nats';
import { loadConfig } from '../../src/core/config/config.js';
import { VERSION } from '../../src/core/lib/version.js';
import { connectNats, type NatsConnection } from '../../src/core/nats/client/connection.js';
import { openTopology } from '../../src/core/nats/stream/topology.js';
import { keys } from '../../src/core/protocol/keys.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';

const FOREIGN_ID = 'FOREIGN';
const SESSION = keys.session('default', FOREIGN_ID);
const FOREIGN = { v: RECORD_VERSION + 1, id: FOREIGN_ID, name: 'other', version: '9.1.0' };

describe('a group with a member of another record format', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;
  let bucket: KV;

  beforeEach(async () => {
    const config = loadConfig({ flags: { server: server.url }, env: {} });
    connection = await connectNats(config, 'test');
    await openTopology(connection, config, { create: true });
    bucket = await connection.jetstream().views.kv(config.bucket);
    await bucket.put(SESSION, JSON.stringify(FOREIGN));
  });

  afterEach(async () => {
    await stopAll();
    await connection.close();
  });

  const keysOf = async (pattern: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const key of await bucket.keys(pattern)) found.push(key);
    return found;
  };

  it('a group with another record format refuses a new member with one line that names both versions and the remedy, and keeps no trace of the member', async () => {
    const { code, stdout, stderr } = await runCli(['consume', '--server', server.url]);
    assert.equal(code, 4, stderr);
    assert.equal(stdout, '');
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
    assert.match(stderr, new RegExp(`record format ${FOREIGN.v} \\(natspoc 9\\.1\\.0\\)`));
    assert.match(stderr, new RegExp(`record format ${RECORD_VERSION} \\(natspoc ${VERSION}\\)`));
    assert.match(stderr, /choose another --group/);
    assert.ok(stderr.includes(`delete ${SESSION} from the bucket`), stderr);
    assert.deepEqual(await keysOf('group.>'), [SESSION]);
    assert.deepEqual(await keysOf('alive.>'), []);
  });

  it('a group can be joined when its session with another record format is gone; another group can be joined at once', async () => {
    const args = ['--server', server.url];
    await startCli(['consume', '--group', 'second', ...args]).tookOver(1);
    await bucket.delete(SESSION);
    await startCli(['consume', ...args]).tookOver(1);
  });
});
