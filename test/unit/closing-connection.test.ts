import assert from 'node:assert/strict';
import { DeliverPolicy } from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { fetchMessages } from '../../src/core/nats/jetstream/fetch.js';
import { publishOnce } from '../../src/core/nats/jetstream/publish-once.js';
import { collectStats } from '../../src/core/nats/service/member-stats.js';

/** A connection whose server answers only that a consumer was created. */
function connected(calls: object): NatsHandles {
  const connection = {
    isClosed: () => false,
    closed: () => new Promise(() => {}),
    status: () => ({ async *[Symbol.asyncIterator]() {} }),
    ...calls,
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

/** A connection that is closing but does not report that yet. It refuses every request. */
function closing(): NatsHandles {
  const refuse = () => {
    throw new Error('CONNECTION_DRAINING');
  };
  return connected({ subscribe: refuse, publish: refuse });
}

/** A connection that closes as soon as the first request waits for its answer. */
function closesWhileAsked(): NatsHandles {
  let close = (_error?: Error): void => {};
  const closed = new Promise<Error | undefined>((resolve) => {
    close = resolve;
  });
  return connected({
    closed: () => closed,
    subscribe: () => ({ unsubscribe() {} }),
    publish: () => close(),
    info: {},
  });
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

const wanted = { stream: 'S', filter: 's', start: { deliver_policy: DeliverPolicy.All }, limit: 9 };
const place = { stream: 'S', group: 'g', inboxPrefix: undefined };
const message = { subject: 's', headers: new Uint8Array(), data: new Uint8Array() };
const LONG_MS = 3_600_000;

/** A remaining timer would keep the process alive until it fires. Then it would use an object that was never created. */
describe('a closing connection', () => {
  let before: number;
  beforeEach(() => {
    before = timers();
  });
  afterEach(() => assert.equal(timers(), before));

  it('a closing connection leaves no timer behind after messages were fetched', async () => {
    await assert.rejects(fetchMessages(closing(), { ...wanted, timeoutMs: LONG_MS }), /DRAINING/);
  });

  it('a closing connection leaves no timer behind while messages are fetched', async () => {
    const fetched = await fetchMessages(closesWhileAsked(), { ...wanted, timeoutMs: LONG_MS });
    assert.deepEqual([fetched.messages, fetched.timedOut], [[], true]);
  });

  for (const [when, handles] of [
    ['after', closing],
    ['while', closesWhileAsked],
  ] as const) {
    it(`a closing connection leaves no timer behind ${when} members were asked for their stats`, async () => {
      const { connection } = handles();
      const facts = await collectStats(connection, place, ['A'], LONG_MS);
      assert.deepEqual(facts.members, []);
    });

    it(`a closing connection leaves no timer behind ${when} a message was published`, async () => {
      const { connection } = handles();
      const outcome = await publishOnce(connection, { stream: 'S' }, message, LONG_MS);
      assert.equal(outcome.kind, 'unknown');
    });
  }
});
