// A worker whose effects count exactly once, whatever happens: the epoch is written along with each effect.
//
//     npm run build && natspoc server &
//     node examples/fenced-journal.mjs journal.ndjson        # as many as you like, on one file
//     natspoc publish --rate 100 --keys 20 '{"amount": 1}'
//     node examples/fenced-journal.mjs --total journal.ndjson
//
// After a crash, the messages since the last commit are handled again by the next owner. And a process that was
// stopped in the middle of a write may wake up long after its partition has gone to somebody else. Neither can be
// prevented from outside; both are harmless where the store looks at partition, epoch and sequence:
//   - an entry of an older epoch behind one of a newer epoch is ignored: its writer was no longer the owner;
//   - an entry whose sequence is not beyond the last one of its partition is ignored: it was handled twice.
// With a database it is one statement: update … set … where partition = $1 and epoch <= $2 and sequence < $3.
import { appendFileSync, readFileSync } from 'node:fs';
import { joinGroup, textOf } from 'natspoc';

/** Adds up a journal, and says how many of its entries did not count. */
function total(file) {
  const partitions = new Map();
  const sum = { amount: 0, entries: 0, ignored: 0 };
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const { partition, epoch, sequence, amount } = JSON.parse(line);
    const last = partitions.get(partition) ?? { epoch: 0, sequence: 0 };
    if (epoch < last.epoch || sequence <= last.sequence) {
      sum.ignored++;
      continue;
    }
    partitions.set(partition, { epoch, sequence });
    sum.entries++;
    sum.amount += amount;
  }
  return sum;
}

const [first, second] = process.argv.slice(2);
if (first === '--total') {
  console.log(JSON.stringify(total(second ?? 'journal.ndjson')));
} else {
  const file = first ?? 'journal.ndjson';
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
  const worker = await joinGroup({
    servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
    stream: process.env.STREAM_NAME ?? 'EVENTS',
    prefix: process.env.SUBJECT_PREFIX || undefined,
    group: 'ledger',
    signal: stop.signal,
    handler: (message, { partition, epoch }) => {
      const { amount } = JSON.parse(textOf(message.data) ?? '{}');
      // One write at the end of the file: entries of several processes never mix.
      appendFileSync(file, `${JSON.stringify({ partition, epoch, sequence: message.sequence, amount })}\n`);
    },
  });
  worker.on('acquired', ({ partition, epoch }) => console.log(`p${partition} is ours at epoch ${epoch}`));
  await worker.closed;
}
