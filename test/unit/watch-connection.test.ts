import assert from 'node:assert/strict';
import type { NatsConnection } from 'nats';
import { watchConnection } from '../../src/core/nats/client/watch-connection.js';
import { settle } from '../support/fake-partition.js';

describe('a watched connection', () => {
  /** What the watcher reports for these statuses of the client. */
  async function heard(...types: string[]): Promise<string[]> {
    const told: string[] = [];
    const connection = {
      closed: () => new Promise(() => {}),
      getServer: () => 'server:4222',
      async *status() {
        for (const type of types) yield { type, data: 'server:4222' };
      },
    };
    watchConnection(connection as unknown as NatsConnection, {
      disconnected: () => told.push('disconnected'),
      reconnecting: () => told.push('reconnecting'),
      reconnected: () => told.push('reconnected'),
    });
    await settle();
    return told;
  }

  it('a watched connection reports each break once, although the client repeats it for each refused attempt', async () => {
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
      ['disconnected', 'reconnecting', 'reconnecting', 'reconnecting', 'reconnected', 'disconnected'],
    );
  });

  it('a watched connection reports that it is back, even if it was broken before it was watched', async () => {
    assert.deepEqual(await heard('reconnect', 'reconnect'), ['reconnected']);
  });
});
