import assert from 'node:assert/strict';
import { DeliverPolicy, type NatsConnection } from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { fetchMessages } from '../../src/core/nats/jetstream/fetch.js';
import { publishOnce } from '../../src/core/nats/jetstream/publish-once.js';
import { collectStats } from '../../src/core/nats/service/member-stats.js';

/** A connection that is being closed, and does not say so yet: it refuses whatever is asked of it. */
function closing(): NatsHandles {
  const refuse = () => {
    throw new Error('CONNECTION_DRAINING');
  };
  const connection = {
    isClosed: () => false,
    closed: () => new Promise(() => {}),
    status: () => ({ async *[Symbol.asyncIterator]() {} }),
    subscribe: refuse,
    publish: refuse,
  };
  const info = { name: 'reader', created: '2026-11-28T00:00:00Z', num_pending: 7, config: {} };
  const manager = {
    getOptions: () => ({ apiPrefix: '$JS.API' }),
    consumers: { add: async () => info, delete: async () => true },
  };
  return {
    connection: connection as unknown as NatsHandles['connection'],
    manager: manager as unknown as NatsHandles['manager'],
    inboxPrefix: undefined,
  };
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** A timer that is left behind ends the process, once it fires: it works with what was never made. */
describe('a closing connection leaves no timer behind', () => {
  let before: number;
  let connection: NatsConnection;
  beforeEach(() => {
    before = timers();
    connection = closing().connection;
  });
  afterEach(() => assert.equal(timers(), before));

  it('after messages were fetched', async () => {
    const start = { deliver_policy: DeliverPolicy.All };
    const wanted = { stream: 'S', filter: 's', start, limit: 9, timeoutMs: 3_600_000 };
    await assert.rejects(fetchMessages(closing(), wanted), /DRAINING/);
  });

  it('after members were asked for their stats', async () => {
    const place = { stream: 'S', group: 'g', inboxPrefix: undefined };
    const facts = await collectStats(connection, place, ['A'], 3_600_000);
    assert.deepEqual(facts.members, []);
  });

  it('after a message was published', async () => {
    const message = { subject: 's', headers: new Uint8Array(), data: new Uint8Array() };
    assert.deepEqual(await publishOnce(connection, { stream: 'S' }, message, 3_600_000), { kind: 'unknown' });
  });
});
