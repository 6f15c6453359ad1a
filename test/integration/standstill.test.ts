import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bucketStream } from '../../src/core/nats/kv/bucket.js';
import { type CliExit, runCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { TcpProxy } from '../support/proxy.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

const SHORT_TTL = ['--ttl', '3s'];
/** A member reports a standstill after ten seconds. The test waits this long for the report. */
const TOLD_MS = 25_000;

describe('the reason of a standstill', function () {
  this.timeout(120_000);
  let run: GroupRun;
  const server = withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '4' },
  );
  const folder = withTempFolder();

  const publish = async (count: number): Promise<void> => {
    const args = ['publish', 'event {{Count}}', '--count', String(count), '--keys', '100', '--quiet'];
    const { code, stderr } = await runCli([...args, ...run.args, '--server', server.url]);
    assert.equal(code, 0, stderr);
  };
  const check = (): Promise<CliExit> =>
    runCli(['leases', 'check', ...run.args, '--server', server.url, '--group', run.config.group]);

  it('the reason of a standstill names the setting to raise if a round trip exceeds the grace', async () => {
    const proxy = await TcpProxy.start(server.port);
    try {
      proxy.delay(800);
      const far = run.consume('far', [], proxy.url);
      await publish(100);
      await far.note(/this member has handled nothing .*(?:set|raise) --probe-interval/, 40_000);
      assert.equal(run.handled.length, 0);
      run.consume('far again', ['--probe-interval', '1100ms'], proxy.url);
      await until('the other member handles messages', () => run.handled.length > 0, TOLD_MS);
    } finally {
      await proxy.stop();
    }
  });

  it('the reason of a standstill names a full bucket, and the member continues when there is room', async () => {
    const { manager } = run.topology;
    const name = bucketStream(run.config.bucket);
    const { bucket } = run.topology;
    // When an entry grows, a full bucket of nats-server 2.9 removes its oldest entries. These fillers are the oldest, so the group's start
    // is kept.
    for (let i = 0; i < 20; i++) await bucket.write(`oldest.${i}`, new Uint8Array(200), 0);
    const early = run.consume('early', SHORT_TTL);
    await run.atRest();
    await publish(50);
    await run.handledCount(50);
    const { config, state } = await manager.streams.info(name);
    // With a limit below the bucket's size, some servers would remove entries.
    await manager.streams.update(name, { ...config, max_bytes: state.bytes + 20_000 });
    let fillers = 0;
    for (const size of [1_000, 1])
      while ((await bucket.write(`filler.${fillers}`, new Uint8Array(size), 0)).kind === 'ok') fillers++;
    await publish(50);
    const late = run.consume('late', SHORT_TTL);
    const refused = /refuses writes \(maximum bytes exceeded\)/;
    assert.match(await late.note(refused, TOLD_MS), /not in the group yet/);
    await early.note(refused, TOLD_MS);
    await manager.streams.update(name, { ...config, max_bytes: -1 });
    await run.atRest();
    await run.handledCount(100);
  });

  it('if a handler blocks the event loop for longer than the ttl, the log names its message and the duration', async () => {
    const module = join(folder(), 'computing.mjs');
    writeFileSync(
      module,
      'let first = true; export default () => { const end = Date.now() + (first ? 4000 : 0); first = false; while (Date.now() < end); };',
    );
    const computing = run.consume('computing', [...SHORT_TTL, '--handler', module]);
    await computing.note(/joined group/);
    await publish(20);
    await computing.note(
      /the event loop was blocked for [\d.]+ s while message \d+ of p\d was handled/,
      TOLD_MS,
    );
  });

  it('a standstill is reported immediately for a stream restored from an older copy, and the check fails', async () => {
    run.consume('a', SHORT_TTL);
    await run.atRest();
    await publish(100);
    await run.handledCount(100);
    const copy = await server.copyStore(run.config.stream);
    await publish(200);
    await run.handledCount(300);
    await server.putBack(copy);
    const started = performance.now();
    await run.members.get('a')?.note(/the stream ends at 100/, TOLD_MS);
    const tookMs = performance.now() - started;
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    await until('the check fails', async () => (await check()).code === 5, TOLD_MS);
  });
});
