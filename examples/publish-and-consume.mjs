// A publisher and a member in one process, on one connection. The program publishes a hundred orders of ten customers, checks that the
// orders of each customer are handled in order, and ends when all orders are handled.
//
//     natspoc server &
//     node examples/publish-and-consume.mjs
import { once } from 'node:events';
import { connect } from 'nats';
import { createPublisher, joinGroup, textOf } from 'natspoc';

const connection = await connect({ servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222' });
const place = {
  connection,
  stream: process.env.STREAM_NAME ?? 'EXAMPLE_ORDERS',
  prefix: process.env.SUBJECT_PREFIX ?? 'example.orders',
};

const last = new Map();
let handled = 0;
const done = new AbortController();
const member = await joinGroup({
  ...place,
  // Each run has its own group, which gets only messages that are published after the group has started.
  group: `example-${process.pid}-${Date.now()}`,
  from: 'new',
  handler: (message, { key }) => {
    const { number } = JSON.parse(textOf(message.data) ?? '');
    if (number !== (last.get(key) ?? 0) + 1) throw new Error(`order ${number} of ${key} is out of turn`);
    last.set(key, number);
    if (++handled === 100) done.abort();
  },
});

const publisher = await createPublisher({ ...place, dedupe: true });
const confirmations = [];
for (let number = 1; number <= 10; number++) {
  for (let customer = 1; customer <= 10; customer++) {
    const message = { key: `customer-${customer}`, data: JSON.stringify({ number }) };
    confirmations.push(publisher.publish(message));
  }
}
const stored = await Promise.all(confirmations);
console.log(`published ${stored.length}, the last with sequence ${stored.at(-1)?.sequence}`);
await publisher.close();

if (!done.signal.aborted) await once(done.signal, 'abort');
await member.leave();
await connection.close();
console.log(`handled ${handled} orders of ${last.size} customers, all in order`);
