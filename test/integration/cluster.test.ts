import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config/config.js';
import { connectNats } from '../../src/core/nats/client/connection.js';
import { runCli, stopAll } from '../support/cli.js';
import { startCluster } from '../support/cluster.js';
import { GroupRun } from '../support/group-run.js';
import { type TestServer, testServerBinary } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const RATE = 500;
/** nats-server elects a new leader after 4 to 9 s. Then readers and watches must be created again. */
const ELECTION_MS = 120_000;
/** Longer than an election, so that no session ends because of it. */
const TTL = '30s';

describe('a cluster of three servers that loses one', function () {
  this.timeout(300_000);
  let servers: TestServer[] = [];
  const temp = withTempFolder();
  let run: GroupRun;

  before(async function () {
    this.timeout(240_000);
    await testServerBinary();
  });

  beforeEach(async () => {
    servers = await startCluster(3);
    await elected();
    run = await GroupRun.open(url(), temp(), { replicas: '3' });
  });

  afterEach(async () => {
    await stopAll();
    await run.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  const url = () => servers.map((server) => server.url).join(',');

  /**
   * Waits for a leader that knows all servers. Without a leader, JetStream answers no requests. Until the leader knows all servers, it
   * places no replicas.
   */
  async function elected(): Promise<void> {
    const connection = await connectNats(loadConfig({ flags: { server: url() }, env: {} }), 'test');
    const manager = await connection.jetstreamManager({ checkAPI: false, timeout: 500 });
    const placed = () =>
      manager.streams
        .add({ name: 'PLACED', subjects: ['placed'], num_replicas: 3 })
        .then(Boolean, () => false);
    await until('a stream gets three replicas', placed, ELECTION_MS).finally(() => connection.close());
  }

  async function killLeader(stream: string): Promise<void> {
    const manager = await run.connection.jetstreamManager({ checkAPI: false });
    const { cluster } = await manager.streams.info(stream);
    const leader = servers[Number(cluster?.leader?.slice(1)) - 1];
    if (!leader) throw new Error(`${stream} has no leader`);
    await leader.kill();
  }

  const release = (partition: number) =>
    runCli([
      'leases',
      'release',
      String(partition),
      '--json',
      '--timeout',
      '20s',
      '--server',
      url(),
      '--stream',
      run.config.stream,
    ]);

  for (const [what, streamOf] of [
    ['stream', () => run.config.stream],
    ['bucket', () => `KV_${run.config.bucket}`],
  ] as const) {
    it(`nothing is lost if the lost server led the ${what}, and operators can act again`, async () => {
      for (const name of ['a', 'b']) run.consume(name, ['--ttl', TTL]);
      await run.atRest(ELECTION_MS);
      run.publish(RATE);
      await run.handledCount(500);
      const before = await release(3);
      assert.equal(before.code, 0, before.stderr + before.stdout);

      await killLeader(streamOf());
      const newest = Math.max(...run.handled.map(({ sequence }) => sequence));
      // The stream has no leader now. The command waits for the election, or reports that nothing was done.
      await until('an order is carried out', async () => (await release(3)).code === 0, ELECTION_MS);
      await until(
        'messages that are published afterwards are handled in every partition',
        () => {
          const fresh = run.handled.filter(({ sequence }) => sequence > newest + 4 * RATE);
          return new Set(fresh.map(({ partition }) => partition)).size === run.partitions;
        },
        ELECTION_MS,
      );
      const verdict = await run.finish(ELECTION_MS);
      assert.equal(verdict.lost, 0, verdict.samples.join('\n'));
      assert.equal(verdict.outOfOrder, 0, verdict.samples.join('\n'));
      assert.equal(verdict.foreign, 0, verdict.samples.join('\n'));
      assert.equal(verdict.duplicated, 0);
      for (const cli of run.members.values()) assert.doesNotMatch(cli.stderr.join('\n'), /fenced/);
    });
  }
});
