import { bareLoop, natspocLibrary } from '/work/main/bench/support/consumers.js';
import { loadConfig } from '/work/main/src/core/config.js';
import { connectNats } from '/work/main/src/core/nats/connection.js';
import { natsPublishPort } from '/work/main/src/core/nats/pipeline.js';
import { openTopology } from '/work/main/src/core/nats/topology.js';
import { PublishRun } from '/work/main/src/core/publish/run.js';
import { generatedSource } from '/work/main/src/core/publish/source.js';

const which = process.argv[2];
const N = Number(process.argv[3] ?? 500000);
const reps = Number(process.argv[4] ?? 3);
const P = process.argv[5] ?? '16';
const stream = `PROF${P}`;
const config = loadConfig({
  flags: { server: 'nats://127.0.0.1:4777', stream, prefix: `${stream}.e`, partitions: P },
  env: {},
});
const connection = await connectNats(config, 'x');
const topology = await openTopology(connection, config, { create: true });
const info = await topology.manager.streams.info(stream);
if (info.state.messages < N) {
  const s = await new PublishRun({
    layout: topology.layout,
    openPort: natsPublishPort(connection, { stream }),
    source: generatedSource({ sizeBytes: 128 }, {}),
    maxMessages: N - info.state.messages,
    timeoutMs: 60000,
    onFailure: 'stop',
  }).run();
  console.error('published', s.confirmed);
}
const bench = { connection, topology, config, messages: N };
const list =
  which === 'both'
    ? [bareLoop(bench), natspocLibrary(bench)]
    : which === 'bare'
      ? [bareLoop(bench)]
      : [natspocLibrary(bench)];
for (let i = 0; i < reps; i++)
  for (const c of list) {
    const cpu = process.cpuUsage();
    const v = await c.measure();
    const u = process.cpuUsage(cpu);
    console.log(c.name, Math.round(v), 'cpu us/msg', ((u.user + u.system) / N).toFixed(2));
  }
await connection.close();
