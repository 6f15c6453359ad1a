/**
 * Publishes as a program without natspoc does. It sends numbered messages of customers to `<prefix>.<customer>.<kind>`, and each is
 * confirmed. It records them as `natspoc publish --confirmed` does. At most one message of a customer is in flight, so a customer's
 * messages are stored in order. An unconfirmed message is sent again under its id until it is confirmed. After SIGINT the process ends as
 * soon as all messages in flight are confirmed.
 *
 *     node --import tsx plain-publisher.ts --server URL --prefix P --partitions N --rate R --confirmed FILE [--keys 100] [--padding 0]
 *     [--seed 1]
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from 'nats';
import { partitionOf } from '../../src/core/protocol/layout.js';
import { payloadLine } from '../chaos/traffic/payload.js';
import { Random } from '../simulation/model/random.js';

const KINDS = ['created', 'paid', 'shipped', 'closed'] as const;
const TICK_MS = 5;

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: '' },
    prefix: { type: 'string', default: '' },
    partitions: { type: 'string', default: '1' },
    rate: { type: 'string', default: '1' },
    confirmed: { type: 'string', default: '' },
    keys: { type: 'string', default: '100' },
    padding: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
});
const [partitions, rate, keys, padding] = [values.partitions, values.rate, values.keys, values.padding].map(
  Number,
) as [number, number, number, number];
const random = new Random(Number(values.seed));
const connection = await connect({
  servers: values.server.split(','),
  maxReconnectAttempts: -1,
  reconnectTimeWait: 100,
  // The publisher continues if a server refuses all clients for a while.
  ignoreAuthErrorAbort: true,
});
const jetstream = connection.jetstream();
const file = openSync(values.confirmed, 'a');
/** For each customer, the message that must be confirmed before the next one is sent. */
const chains = new Map<string, Promise<void>>();
let isOver = false;
process.on('SIGINT', () => {
  isOver = true;
});

async function publish(key: string, number: number): Promise<void> {
  const data = payloadLine(key, number, 'x'.repeat(random.int(0, padding)));
  const subject = `${values.prefix}.${key}.${KINDS[number % KINDS.length]}`;
  for (;;) {
    try {
      const { seq: sequence } = await jetstream.publish(subject, data, { msgID: `${values.seed}-${number}` });
      const line = { partition: partitionOf(key, partitions), sequence, key, data };
      writeSync(file, `${JSON.stringify(line)}\n`);
      return;
    } catch {
      // The message may be stored already. Its id prevents a second copy.
      await sleep(50);
    }
  }
}

const startMs = performance.now();
for (let number = 1; !isOver; ) {
  const due = ((performance.now() - startMs) / 1_000) * rate;
  for (; number <= due; number++) {
    const own = number;
    const key = `k${random.int(0, keys - 1)}`;
    chains.set(
      key,
      (chains.get(key) ?? Promise.resolve()).then(() => publish(key, own)),
    );
  }
  await sleep(TICK_MS);
}
await Promise.all(chains.values());
closeSync(file);
await connection.close();
