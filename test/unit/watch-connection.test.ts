import assert from 'node:assert/strict';
import type { NatsConnection } from 'nats';
import { watchConnection } from '../../src/core/nats/client/watch-connection.js';
import { settle } from '../support/fake-partition.js';

describe('a watched connection', () => {
  /** What the watcher reports for these statuses of the client. A status is a type, or a type and its data. */
  async function heard(...statuses: (string | [type: string, data: string])[]): Promise<string[]> {
    const told: string[] = [];
    const connection = {
      closed: () => new Promise(() => {}),
      getServer: () => 'server:4222',
      async *status() {
        for (const status of statuses) {
          const [type, data] = typeof status === 'string' ? [status, 'server:4222'] : status;
          yield { type, data };
        }
      },
    };
    watchConnection(connection as unknown as NatsConnection, {
      disconnected: ({ reason }) => told.push(reason === null ? 'disconnected' : `disconnected: ${reason}`),
      reconnecting: () => told.push('reconnecting'),
      reconnected: () => told.push('reconnected'),
    });
    await settle();
    return told;
  }

  it('a watched connection reports each break once, although the client reports a break for each refused attempt', async () => {
    const attempts = ['reconnecting', 'disconnect', 'reconnecting', 'disconnect', 'reconnecting'];
    assert.deepEqual(
      await heard(
        'staleConnection',
        'disconnect',
        ...attempts,
        'reconnect',
        'reconnect',
        'reconnect',
        'disconnect',
      ),
      [
        'disconnected: the server did not answer pings',
        ...['reconnecting', 'reconnecting', 'reconnecting', 'reconnected', 'disconnected'],
      ],
    );
  });

  it('a watched connection reports refused credentials as the reason of a break, not missing answers to pings', async () => {
    const refused: [string, string] = ['error', 'AUTHENTICATION_EXPIRED'];
    assert.deepEqual(
      await heard(
        refused,
        'staleConnection',
        'disconnect',
        refused,
        'reconnect',
        'staleConnection',
        'disconnect',
      ),
      [
        'disconnected: the credentials have expired',
        'reconnected',
        'disconnected: the server did not answer pings',
      ],
    );
  });

  it('a watched connection reports its reconnection, even if it was broken before it was watched', async () => {
    assert.deepEqual(await heard('reconnect', 'reconnect'), ['reconnected']);
  });
});
