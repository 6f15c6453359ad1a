/**
 * A hand-written consumer without a library, as a process. For each message it writes a line of NDJSON. At SIGTERM it finishes running
 * messages and exits.
 *
 *   node --import tsx bench/support/worker.ts URL STREAM PREFIX PARTITIONS strict|lock
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, type ConsumerMessages, connect, DeliverPolicy, type JsMsg } from 'nats';
import { LOCK_TTL_MS, LockLoop, openLocks, sharedConsumer, WORK_MS } from './kv-lock.js';

const [url = '', stream = '', prefix = '', partitions = '', kind = ''] = process.argv.slice(2);
const connection = await connect({ servers: url });
const running: ConsumerMessages[] = [];
let finish = async (): Promise<void> => {};

async function handle(message: JsMsg): Promise<void> {
  await sleep(WORK_MS);
  const partition = Number(message.subject.slice(message.subject.lastIndexOf('.') + 1));
  const time = new Date(message.info.timestampNanos / 1e6).toISOString();
  process.stdout.write(`${JSON.stringify({ partition, sequence: message.seq, time, at: Date.now() })}\n`);
}

async function consume(name: string, maxMessages: number, callback: (message: JsMsg) => void): Promise<void> {
  const consumer = await connection.jetstream().consumers.get(stream, name);
  running.push(await consumer.consume({ max_messages: maxMessages, callback }));
}

if (kind === 'lock') {
  const loop = new LockLoop(await openLocks(connection, `${stream}_locks`), handle);
  finish = () => loop.stop();
  await sharedConsumer(connection, stream, 'locked');
  await consume('locked', 100, (message) => loop.take(message));
} else {
  const manager = await connection.jetstreamManager();
  for (let partition = 0; partition < Number(partitions); partition++) {
    const name = `strict-${partition}`;
    await manager.consumers.add(stream, {
      durable_name: name,
      filter_subject: `${prefix}.p.${partition}`,
      ack_policy: AckPolicy.Explicit,
      ack_wait: LOCK_TTL_MS * 1_000_000,
      deliver_policy: DeliverPolicy.All,
      max_ack_pending: 1,
    });
    let inHand = Promise.resolve();
    await consume(name, 1, (message) => {
      inHand = handle(message).then(() => message.ack());
    });
    const before = finish;
    finish = () => before().then(() => inHand);
  }
}
process.stderr.write('ready\n');
process.once('SIGTERM', async () => {
  for (const each of running) each.stop();
  await finish();
  await connection.drain();
  process.exit(0);
});
