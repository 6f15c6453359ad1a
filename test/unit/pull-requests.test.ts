import assert from 'node:assert/strict';
import { headers, type Msg } from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { PullBudget } from '../../src/core/nats/jetstream/pull-budget.js';
import { PullRequests } from '../../src/core/nats/jetstream/pull-requests.js';
import { RequestLimits } from '../../src/core/nats/jetstream/request-limits.js';

/** A reader's requests, and the batches that were sent. */
function bench() {
  const sent: number[] = [];
  const limits = new RequestLimits();
  const budget = new PullBudget({ messages: 200, bytes: 1_000_000 }, 200, limits);
  const handles = {
    connection: { publish: (_: string, body: string) => void sent.push(JSON.parse(body).batch) },
    manager: { getOptions: () => ({ apiPrefix: '$JS.API' }) },
  } as unknown as NatsHandles;
  const consumer = { stream: 'S', name: 'c', heartbeatMs: 2_000 };
  const requests = new PullRequests(handles, consumer, budget, limits, assert.fail);
  budget.weigh(100);
  budget.begin(0);
  const expire = (batch: number): void => {
    const header = headers(408, 'Request Timeout');
    header.set('Nats-Pending-Messages', String(batch));
    const subject = `${requests.inbox}.${batch}`;
    if (requests.receiveStatus({ subject, headers: header } as Msg)) requests.fill();
  };
  return { sent, budget, requests, expire };
}

describe('the requests of an idle reader', () => {
  it('the requests of an idle reader expire one by one, and then a single request replaces them', () => {
    const { sent, budget, requests, expire } = bench();
    requests.fill();
    for (const served of [80, 60]) {
      for (let i = 0; i < served; i++) budget.deliver();
      budget.release(served);
      requests.fill();
    }
    assert.deepEqual(sent, [200, 80, 60]);
    expire(60);
    expire(80);
    assert.equal(sent.length, 3, 'another request is pending');
    expire(60);
    assert.deepEqual(sent.slice(3), [200]);
  });
});
