import assert from 'node:assert/strict';
import { connect, type JetStreamManager } from 'nats';
import { createPublisher } from '../../src/core/index.js';
import { freePorts } from '../../src/local/server/cluster.js';
import { runCli } from '../support/cli.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

/** A hub and a leaf node, each with a stream of the same name and subjects. */
describe('JetStream domains', function () {
  this.timeout(60_000);
  let hub: TestServer;
  let leaf: TestServer;

  before(async () => {
    const [port = 0] = await freePorts(1);
    hub = await startTestServer({ config: `jetstream { domain: hub }\nleafnodes { port: ${port} }` });
    const remote = `leafnodes { remotes: [ { url: "nats://127.0.0.1:${port}" } ] }`;
    leaf = await startTestServer({ config: `jetstream { domain: leaf }\n${remote}` });
  });
  after(async () => {
    await leaf.stop();
    await hub.stop();
  });

  async function managerOf(
    server: TestServer,
    domain: string,
  ): Promise<[JetStreamManager, () => Promise<void>]> {
    const connection = await connect({ servers: server.url });
    return [await connection.jetstreamManager({ domain, checkAPI: false }), () => connection.close()];
  }

  it('the error for a domain in which no JetStream answers names the domain', async () => {
    const { code, stderr } = await runCli(['leases', '--server', leaf.url, '--js-domain', 'nope']);
    assert.equal(code, 3);
    assert.match(stderr, /JetStream does not answer in domain nope: check --js-domain/);
  });

  it('only the stream of the intended domain confirms messages', async () => {
    const [viaLeaf, close] = await managerOf(leaf, 'hub');
    await until('the hub is reached', () =>
      viaLeaf.getAccountInfo().then(
        () => true,
        () => false,
      ),
    );
    const place = ['--stream', 'D', '--prefix', 'd', '--partitions', '1', '--server', leaf.url];
    const limited = await runCli([
      'stream',
      'create',
      ...place,
      '--js-domain',
      'hub',
      '--max-messages',
      '5',
      '--discard',
      'new',
    ]);
    assert.equal(limited.code, 0, limited.stderr);
    assert.equal((await runCli(['stream', 'create', ...place])).code, 0);
    const options = { servers: leaf.url, stream: 'D', jsDomain: 'hub', timeoutMs: 5_000 };
    const publisher = await createPublisher(options);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => publisher.publish({ data: String(i) })),
    );
    await publisher.close();
    const confirmed = outcomes.filter(({ status }) => status === 'fulfilled').length;
    const { messages } = (await viaLeaf.streams.info('D')).state;
    await close();
    assert.deepEqual([confirmed, messages], [5, 5]);
  });
});
