import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { loadConfig } from '../../src/core/config/config.js';
import { connectNats } from '../../src/core/nats/client/connection.js';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { assertSafe } from '../support/hostile.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const GARBLED = '\u001b]0;owned\u0007 not NATS\r\n';

describe('a connection that receives something other than NATS', function () {
  this.timeout(60_000);
  const server = withServer();
  let fake: Server | undefined;
  afterEach(async () => {
    await stopAll();
    fake?.close();
  });

  async function listen(each: (socket: Socket) => void): Promise<string> {
    fake = createServer((socket) => {
      socket.on('error', () => {});
      each(socket);
    });
    fake.listen(0, '127.0.0.1');
    await once(fake, 'listening');
    const address = fake.address();
    assert.ok(typeof address === 'object' && address !== null);
    return `nats://127.0.0.1:${address.port}`;
  }

  for (const [what, first, why] of [
    ['text that is not NATS', GARBLED, 'unexpected response from server'],
    [
      'an invalid version',
      `INFO ${JSON.stringify({ version: GARBLED })}\r\n`,
      'the server there does not speak NATS',
    ],
    ['an INFO that is not JSON', `INFO ${GARBLED}`, 'unexpected token'],
  ] as const)
    it(`a command that receives ${what} fails immediately with one line, and nothing on standard output`, async () => {
      const url = await listen((socket) => socket.write(first));
      const { code, stdout, stderr } = await runCli(['leases', '--server', url, '--timeout', '10m']);
      assert.deepEqual([code, stdout, stderr.split('\n').length], [3, '', 1], stderr);
      assert.ok(stderr.toLowerCase().includes(`cannot reach nats at ${url} (${why.toLowerCase()}`), stderr);
      assertSafe(what, stderr);
    });

  it('a garbled connection is reopened later, and the member continues with a clean standard output', async () => {
    const sockets: Socket[] = [];
    const real = new URL(server.url);
    const { connect } = await import('node:net');
    const url = await listen((socket) => {
      sockets.push(socket);
      const upstream = connect(Number(real.port), real.hostname);
      upstream.on('error', () => {});
      socket.pipe(upstream).pipe(socket);
      socket.on('close', () => upstream.destroy());
    });
    const args = ['--stream', 'G', '--prefix', 'g', '--partitions', '1'];
    const consumer = startCli(['consume', '--output', 'ndjson', '--server', url, ...args]);
    await consumer.tookOver(1);
    for (const socket of sockets.splice(0)) socket.write(GARBLED);
    await until('the member connects again', () => sockets.length > 0);
    const connection = await connectNats(loadConfig({ flags: { server: server.url }, env: {} }), 'test');
    await connection.jetstream().publish('g.p.0', 'after');
    await connection.close();
    await once(consumer.child.stdout ?? process.stdin, 'data');
    consumer.signal('SIGTERM');
    const { code, stdout } = await consumer.exited;
    assert.equal(code, 0);
    assert.match(stdout, /^\{.*"data":"after"\}$/);
  });
});
