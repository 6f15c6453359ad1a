// A plain worker: joins a group and handles its share of the partitions until Ctrl-C.
//
//     natspoc server &
//     node examples/worker.mjs            # in two terminals: the two workers share the partitions
//     natspoc publish --stream EXAMPLE_WORK --prefix example.work --rate 10 --keys 20 'order {{Count}}'
import { joinGroup, textOf } from 'natspoc';

// Aborts at the first Ctrl-C: the worker waits for running handlers, hands over and leaves.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

const worker = await joinGroup({
  servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
  stream: process.env.STREAM_NAME ?? 'EXAMPLE_WORK',
  prefix: process.env.SUBJECT_PREFIX ?? 'example.work',
  group: 'workers',
  // Up to eight messages of a partition at a time, each of a different key; the messages of a key stay in order.
  concurrency: 8,
  maxAttempts: 5,
  onFailure: 'dead-letter',
  signal: stop.signal,
  handler: async (message, { partition, key, attempt, signal }) => {
    await deliver(textOf(message.data) ?? '', signal);
    console.log(`p${partition} #${message.sequence} key ${key}, attempt ${attempt}: done`);
  },
});

worker.on('acquired', ({ partition, from }) => console.log(`+ p${partition} from ${from ?? 'no owner'}`));
worker.on('handed-over', ({ partition, to }) => console.log(`- p${partition} to ${to}`));
worker.on('failed', ({ message, error, then }) => console.log(`! #${message.sequence}: ${error} (${then})`));

// Resolves when the worker has left; rejects with the error that ended it, such as a deleted bucket.
await worker.closed;
console.log(`left after ${worker.counters.handled} messages`);

/** Does the work. Ends early if the signal aborts, for example because the partition has to move. */
async function deliver(_text, signal) {
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 5);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
