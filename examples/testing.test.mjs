// Tests a worker without a server, with the test runner of Node:
//
//     node --test examples/testing.test.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidMessage } from 'natspoc';
import { call, localStream } from 'natspoc/testing';

/** The worker under test: adds up cents by account, and refuses payloads that are not orders. */
const worker = (accounts) => ({
  decode: ({ data }) => JSON.parse(Buffer.from(data).toString()),
  handler: ({ value, key }) => {
    if (!(value.cents > 0)) throw new InvalidMessage('an order has cents');
    accounts.set(key, (accounts.get(key) ?? 0) + value.cents);
  },
  onFailure: 'dead-letter',
});

test('an order is added to its account', async () => {
  const accounts = new Map();
  const { outcome } = await call(worker(accounts), { key: 'user-7', value: { cents: 5 } });
  assert.equal(outcome, 'handled');
  assert.deepEqual([...accounts], [['user-7', 5]]);
});

test('a payload that is not an order is not tried again', async () => {
  const result = await call(worker(new Map()), { key: 'user-7', value: { cents: -5 } });
  assert.equal(result.outcome, 'failed');
  assert.equal(result.then, 'dead-letter');
});

test('a crash moves the partitions to the other member', async () => {
  const stream = localStream({ partitions: 4 });
  const accounts = new Map();
  const one = await stream.joinGroup(worker(accounts));
  const two = await stream.joinGroup(worker(accounts));
  await stream.until(() => one.partitions.length === 2 && two.partitions.length === 2);
  const publisher = await stream.createPublisher();
  await publisher.publish({ key: 'user-7', data: '{"cents": 5}' });
  await stream.idle();
  stream.crash(one);
  await publisher.publish({ key: 'user-7', data: '{"cents": 7}' });
  await stream.until(() => two.partitions.length === 4);
  await stream.idle();
  assert.deepEqual([...accounts], [['user-7', 12]]);
  await two.leave();
});
