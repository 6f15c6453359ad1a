// A plain worker: joins a group and handles its share of the partitions until Ctrl-C.
//
//     natspoc server &
//     node examples/worker.mjs            # run this line in two terminals: two workers share the partitions
//     natspoc publish --stream EXAMPLE_WORK --prefix example.work --rate 10 --keys 20 'order {{Count}}'
import { joinGroup, textOf } from 'natspoc';

// The first Ctrl-C aborts the signal. The worker then waits for running handlers, hands its partitions over and leaves.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

const worker = await joinGroup({
  servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
  stream: process.env.STREAM_NAME ?? 'EXAMPLE_WORK',
  prefix: process.env.SUBJECT_PREFIX ?? 'example.work',
  group: 'workers',
  // Handles up to eight messages of a partition in parallel, each of a different key. The messages of a key stay in order.
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

/** Delivers a message. Rejects early if the signal aborts, for example because the partition has to move. */
async function deliver(_text, signal) {
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 5);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
