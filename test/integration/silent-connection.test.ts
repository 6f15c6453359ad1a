import assert from 'node:assert/strict';
import { once } from 'node:events';
import { loadConfig } from '../../src/core/config/config.js';
import { connectNats, type NatsConnection } from '../../src/core/nats/client/connection.js';
import { SILENT_MS } from '../../src/core/nats/client/silent-connection.js';
import { watchConnection } from '../../src/core/nats/client/watch-connection.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

describe('a connection on which nothing arrives', function () {
  this.timeout(30_000);
  const server = withServer();

  const open = (url: string) => connectNats(loadConfig({ flags: { server: url }, env: {} }), 'test');
  const answers = async (connection: NatsConnection): Promise<boolean> => {
    const unheard = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200));
    const heard = connection.flush().then(
      () => true,
      () => false,
    );
    return Promise.race([heard, unheard]);
  };

  it('a silent connection is reopened after a callback of the program threw, and the error is reported', async () => {
    const connection = await open(server.url);
    try {
      connection.subscribe('x', {
        callback: () => {
          throw new Error('of the program');
        },
      });
      const told = once(process, 'warning');
      const lost = new Promise<void>((lost) => watchConnection(connection, { disconnected: () => lost() }));
      connection.publish('x');
      const [warning] = await told;
      assert.match(String(warning), /callback threw: of the program/);
      await lost;
      await until('the connection is open again', () => answers(connection), 10_000);
    } finally {
      await connection.close();
    }
  });

  it('a silent connection is reopened if its other end is gone', async () => {
    const proxy = await TcpProxy.start(server.port);
    const connection = await open(proxy.url);
    try {
      proxy.silence();
      let isGivenUp = false;
      watchConnection(connection, {
        disconnected: () => {
          isGivenUp = true;
        },
      });
      await until('the connection is given up', () => isGivenUp, 2 * SILENT_MS);
      proxy.heal();
      await until('the connection is open again', () => answers(connection), 10_000);
    } finally {
      await connection.close();
      await proxy.stop();
    }
  });

  it('a silent connection is reopened if the server hung up during the reopening', async () => {
    const proxy = await TcpProxy.start(server.port);
    const connection = await open(proxy.url);
    try {
      let isUp = true;
      watchConnection(connection, {
        disconnected: () => {
          isUp = false;
        },
        reconnected: () => {
          isUp = true;
        },
      });
      proxy.hangUpAt('CONNECT');
      proxy.heal();
      await until('the connection is lost', () => !isUp, 5_000);
      // If the first attempt had to time out before the connection is opened, this limit would be exceeded.
      await until('the connection is open again', () => isUp, 3_000);
    } finally {
      await connection.close();
      await proxy.stop();
    }
  });
});
