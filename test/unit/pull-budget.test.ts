import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PullBudget } from '../../src/core/nats/jetstream/pull-budget.js';
import { RequestLimits } from '../../src/core/nats/jetstream/request-limits.js';

/** A budget that has started, without messages in memory. */
function demandOf(messages: number, bytes = 1_000_000): PullBudget {
  const demand = new PullBudget({ messages, bytes });
  assert.equal(demand.order(), undefined, 'nothing is requested before the budget begins');
  demand.begin(0);
  return demand;
}

/** Delivers the requested messages. With `release` they are handled at once. */
function deliver(demand: PullBudget, messages: number, release: boolean): void {
  for (let i = 0; i < messages; i++) {
    demand.deliver();
    if (release) demand.release(1);
    demand.adapt();
  }
}

describe('the pull budget of a reader', () => {
  it('the budget limits the messages in flight, however large the window is, because they delay the answers to renewals', () => {
    const demand = new PullBudget({ messages: 100_000, bytes: 100_000_000 }, 100_000);
    demand.begin(0);
    const order = (): number => {
      let batches = 0;
      for (let next = demand.order(); next; next = demand.order()) batches += next.batch;
      return batches;
    };
    // The size is still unknown, so few messages are requested.
    demand.weigh(100);
    assert.equal(order(), 8_192);
    deliver(demand, 4_000, true);
    assert.equal(order(), 4_000);
    deliver(demand, 8_192, false);
    assert.equal(order(), 8_192);
  });

  it('the budget marks the first delivery of each request, before which the server may have waited for that request', () => {
    const demand = demandOf(64);
    assert.equal(demand.order()?.batch, 64);
    deliver(demand, 40, true);
    assert.equal(demand.order()?.batch, 40, 'sent after 40 of 64 deliveries');
    const turns: number[] = [];
    for (let delivery = 41; delivery <= 100; delivery++) {
      if (demand.isTurn) turns.push(delivery);
      deliver(demand, 1, true);
    }
    assert.deepEqual(turns, [65]);
    demand.fallShort(4, false);
    assert.equal(demand.isTurn, false, 'the server has ended the request');
  });

  it('a status of a request changes the turn of a later request only if messages of the ended request were not sent', () => {
    const demand = demandOf(64);
    assert.equal(demand.order()?.batch, 64);
    deliver(demand, 40, true);
    assert.equal(demand.order()?.batch, 40);
    deliver(demand, 20, true);
    assert.equal(demand.isTurn, false);
    demand.fallShort(4, false);
    assert.ok(demand.isTurn, 'the next delivery answers the second request');
    deliver(demand, 20, true);
    assert.equal(demand.order()?.batch, 44);
    deliver(demand, 20, true);
    demand.fallShort(0, false);
    assert.ok(demand.isTurn, 'all messages of the second request were sent');
  });

  it('held and requested messages together never exceed the window of the budget', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('order' as const) }),
      fc.record({
        kind: fc.constantFrom('deliver', 'release', 'expire'),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(step, { maxLength: 200 }), (messages, steps) => {
        const demand = demandOf(messages);
        let owed = 0;
        let held = 0;
        for (const each of steps) {
          if (each.kind === 'order') owed += demand.order()?.batch ?? 0;
          else if (each.kind === 'deliver') {
            const count = Math.floor(owed * each.share);
            deliver(demand, count, false);
            owed -= count;
            held += count;
          } else if (each.kind === 'release') {
            const count = Math.floor(held * each.share);
            demand.release(count);
            held -= count;
          } else {
            const count = Math.floor(owed * each.share);
            demand.fallShort(count, false);
            owed -= count;
          }
          assert.ok(owed + held <= messages, `${owed} owed and ${held} held of ${messages}`);
          assert.equal(demand.isWaiting, owed > 0);
        }
        // Whatever has happened, an empty budget requests messages.
        demand.fallShort(owed, false);
        demand.release(held);
        assert.ok((demand.order()?.batch ?? 0) >= 1);
      }),
    );
  });

  it('the budget grows to the window while messages are handled immediately, and shrinks while they wait', () => {
    const demand = demandOf(4_096);
    demand.weigh(100);
    const batches: number[] = [];
    for (let i = 0; i < 12; i++) {
      const order = demand.order();
      assert.ok(order);
      batches.push(order.batch);
      deliver(demand, order.batch, true);
    }
    assert.equal(batches[0], 64);
    assert.equal(batches.at(-1), 4_096);
    // Now each message takes long. Requested messages arrive well before the next one is handled.
    let last = 0;
    for (let taken = 0; taken < 20_000; taken++) {
      const order = demand.order();
      if (order) {
        last = order.batch;
        deliver(demand, last, false);
      }
      demand.release(1);
    }
    assert.ok(last <= 64, `${last} at a time`);
  });

  it('the budget requests as many messages as fit into the bytes of the window', () => {
    const demand = demandOf(4_096, 10_000);
    demand.weigh(1_000);
    assert.deepEqual(demand.order(), { batch: 10, maxBytes: 10_000 });
  });

  it('the budget requests the messages for all running handlers and a small reserve', () => {
    const demand = new PullBudget({ messages: 4_096, bytes: 1_000_000 }, 1_000);
    demand.weigh(100);
    demand.begin(0);
    assert.equal(demand.order()?.batch, 999 + 64);
    deliver(demand, 999 + 64, false);
    demand.release(32);
    assert.equal(demand.order()?.batch, 32, 'the next request is made when half of the reserve is used');
  });

  it('the budget requests more, up to the window, if held messages cannot be started', () => {
    const demand = new PullBudget({ messages: 200, bytes: 1_000_000 }, 2);
    demand.weigh(100);
    demand.begin(0);
    let held = demand.order()?.batch ?? 0;
    assert.equal(demand.starve(), false, 'the request is in flight');
    deliver(demand, held, false);
    while (demand.starve()) {
      const { batch } = demand.order() ?? { batch: 0 };
      assert.ok(batch > 0);
      deliver(demand, batch, false);
      held += batch;
    }
    assert.equal(held, 200);
  });

  it('the budget requests enough for all handlers if they are idle, although handled messages still count', () => {
    const demand = new PullBudget({ messages: 8_192, bytes: 10_000_000 }, 1_000);
    demand.weigh(100);
    demand.begin(0);
    deliver(demand, demand.order()?.batch ?? 0, false);
    assert.equal(demand.starve(), true);
    assert.ok((demand.order()?.batch ?? 0) >= 999);
  });

  it('the budget splits requests to fit the limits of the server', () => {
    const limits = new RequestLimits({ max_batch: 32 });
    const demand = new PullBudget({ messages: 4_096, bytes: 1_000_000 }, 1, limits);
    demand.weigh(100);
    demand.begin(0);
    assert.deepEqual(
      [demand.order(), demand.order(), demand.order()],
      [{ batch: 32, maxBytes: 1_000_000 }, { batch: 32, maxBytes: 1_000_000 }, undefined],
    );
    assert.ok(limits.learn('Exceeded MaxRequestBatch of 16'));
    assert.ok(limits.learn('Exceeded MaxRequestMaxBytes of 5000'));
    assert.ok(limits.learn('Exceeded MaxRequestExpires of 1m0s') === false, 'longer than any request');
    assert.ok(limits.learn('Exceeded MaxRequestExpires of 5s'));
    assert.equal(limits.expiresMs, 5_000);
    assert.equal(limits.learn('Exceeded MaxRequestBatch of 16'), false, 'no new limit');
    assert.equal(limits.learn('Exceeded MaxWaiting'), false);
    demand.fallShort(32, false);
    assert.deepEqual(demand.order(), { batch: 16, maxBytes: 5_000 });
  });

  it('a message that is larger than the window is requested once, alone and without a limit of bytes', () => {
    const demand = demandOf(10, 100);
    assert.equal(demand.order()?.batch, 10);
    deliver(demand, 2, false);
    demand.fallShort(8, true);
    assert.equal(demand.order(), undefined, 'two messages are still running');
    demand.release(2);
    assert.deepEqual(demand.order(), { batch: 1, maxBytes: undefined });
    assert.equal(demand.order(), undefined);
    deliver(demand, 1, true);
    assert.equal(demand.order()?.maxBytes, 100);
  });
});
