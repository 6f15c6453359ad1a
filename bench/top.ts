/**
 * Measures the cost of `natspoc top` on a large group: processor time, memory over time, and the time from a key press to the next frame.
 * Needs tmux, and a machine without other work.
 *
 *   npm run build && node --import tsx bench/top.ts [--minutes 10] [--partitions 256] [--members 16] [--rate 5000] [--size 200x60]
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createPublisher, joinGroup } from '../src/core/index.js';
import { TestServer } from '../test/support/server.js';
import { TopTerminal } from '../test/top/top-terminal.js';
import { describeMachine } from './support/machine.js';
import { usageOf } from './support/process-usage.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    partitions: { type: 'string', default: '256' },
    members: { type: 'string', default: '16' },
    rate: { type: 'string', default: '5000' },
    size: { type: 'string', default: '200x60' },
  },
});
const [columns = 200, rows = 60] = values.size.split('x').map(Number);
const SAMPLE_MS = 30_000;
const KEYS = 60;
const PUBLISH_EVERY_MS = 20;

const server = new TestServer();
await server.start();
const folder = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const place = { servers: server.url, partitions: Number(values.partitions) };
const members = await Promise.all(
  Array.from({ length: Number(values.members) }, (_, i) =>
    joinGroup({ ...place, name: `member-${i}`, handler: () => {} }),
  ),
);
const publisher = await createPublisher(place);
let published = 0;
const startedAt = performance.now();
const publishing = setInterval(() => {
  const due = ((performance.now() - startedAt) * Number(values.rate)) / 1_000;
  for (; published < due; published++) {
    publisher.publish({ data: `event ${published}`, key: `key-${published % 10_000}` }).catch(() => {});
  }
}, PUBLISH_EVERY_MS);

// This code runs inside top. It measures the time from a key to the next frame, and records top's memory.
const log = join(folder, 'keys');
const memory = join(folder, 'memory');
const probe = `import { appendFileSync, writeFileSync } from 'node:fs';
  const note = () => writeFileSync(${JSON.stringify(memory)}, JSON.stringify(process.memoryUsage()));
  setInterval(note, 1_000).unref();
  const write = process.stdout.write; let from = 0;
  process.stdin.prependListener('data', () => { from = performance.now(); });
  process.stdout.write = function (...all) {
    if (from) { appendFileSync(${JSON.stringify(log)}, (performance.now() - from) + '\\n'); from = 0; }
    return write.apply(this, all);
  };`;
const terminal = await TopTerminal.open({ columns, rows }, folder, {
  NATS_URL: server.url,
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(probe)}`,
});
await terminal.top();
await terminal.tmux.shows(new RegExp(`members ${values.members}\\b`), 60_000);

/** Waits, and prints the resources that top has used in the meantime. */
async function sample(ms: number): Promise<void> {
  const before = usageOf(terminal.pid);
  await sleep(ms);
  const { cpuMs, residentBytes } = usageOf(terminal.pid);
  const busy = (((cpuMs - before.cpuMs) / ms) * 100).toFixed(1);
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  const { heapUsed, heapTotal, external } = JSON.parse(readFileSync(memory, 'utf8'));
  const [resident, used, total, outside] = [residentBytes, heapUsed, heapTotal, external].map(
    (bytes) => `${Math.round(bytes / 1_048_576)}`,
  );
  console.log(
    `${minutes} min  cpu ${busy} %  resident ${resident} MiB (heap ${used} of ${total}, outside ${outside})`,
  );
}

try {
  console.log(JSON.stringify(describeMachine(server.version)));
  console.log(`${values.partitions} partitions, ${values.members} members, ${values.rate}/s, ${values.size}`);
  await sleep(10_000);
  for (let left = Number(values.minutes) * 60_000; left > 0; left -= SAMPLE_MS) {
    await sample(Math.min(left, SAMPLE_MS));
  }
  for (let i = 0; i < KEYS; i++) {
    await terminal.tmux.press(i % 10 === 9 ? 'Tab' : 'Down');
    await sleep(200);
  }
  const delays = readFileSync(log, 'utf8').trim().split('\n').map(Number);
  delays.sort((a, b) => a - b);
  const at = (share: number) => `${delays[Math.ceil(share * delays.length) - 1]?.toFixed(1)} ms`;
  console.log(`key to paint: median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)} (${delays.length} keys)`);
  console.log(`published ${published} in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
} finally {
  clearInterval(publishing);
  await terminal.close();
  await publisher.close();
  await Promise.allSettled(members.map((member) => member.leave()));
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
