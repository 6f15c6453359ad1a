// A worker whose effects count exactly once, because each effect is stored together with the identity of its message.
//
//     natspoc server &
//     node examples/exactly-once.mjs journal.ndjson        # start several workers with the same file
//     natspoc publish --stream EXAMPLE_LEDGER --prefix example.ledger --rate 100 --keys 20 '{"amount": 1}'
//     node examples/exactly-once.mjs --total journal.ndjson
//
// After a crash, the next owner handles the messages since the last commit again. A process that was stopped in the middle
// of a write may finish the write long after its partition has moved to another owner. Both cases are harmless if the store
// accepts each message only once. A message is identified by:
//   - its sequence AND the time at which it was stored, because the sequences of a stream that is created again start at 1;
//   - the name of the run (RUN). After "leases seek" the same messages must count again, so set another name.
// Do not compare a sequence with the last sequence: with a concurrency above 1 a message may be handled before an earlier
// message of another key. docs/library.md has the SQL statements for a database.
import { appendFileSync, readFileSync } from 'node:fs';
import { joinGroup, textOf } from 'natspoc';

/** Adds up the entries of a journal. Repeated entries are counted, but not added. */
function total(file) {
  const seen = new Set();
  const sum = { amount: 0, entries: 0, ignored: 0 };
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const { run, sequence, storedAt, amount } = JSON.parse(line);
    const message = `${run} ${sequence} ${storedAt}`;
    if (seen.has(message)) {
      sum.ignored++;
      continue;
    }
    seen.add(message);
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
  const run = process.env.RUN ?? '1';
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
  const worker = await joinGroup({
    servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
    stream: process.env.STREAM_NAME ?? 'EXAMPLE_LEDGER',
    prefix: process.env.SUBJECT_PREFIX ?? 'example.ledger',
    group: 'ledger',
    concurrency: 8,
    signal: stop.signal,
    handler: async ({ sequence, timestampMs, data }) => {
      const { amount } = JSON.parse(textOf(data) ?? '{}');
      // While this handler waits, messages of other keys are handled.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      // Each entry is appended by one write, so that the entries of several processes never mix.
      appendFileSync(file, `${JSON.stringify({ run, sequence, storedAt: timestampMs, amount })}\n`);
    },
  });
  worker.on('acquired', ({ partition, epoch }) => console.log(`p${partition} is ours at epoch ${epoch}`));
  await worker.closed;
}
