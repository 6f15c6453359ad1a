import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningServer, startServer } from '../../src/local/server/index.js';
import { type Cli, startCli, stopAll } from '../support/cli.js';
import { testServerBinary } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const USERS = 'authorization { user: us, password: secret }';
const OTHERS = 'authorization { user: them, password: other }';

/** The server is restarted with the wrong users, and then with the right ones. */
describe('credentials that are refused on an established connection', function () {
  this.timeout(90_000);
  const folder = withTempFolder();
  let server: RunningServer | undefined;
  let port = 0;

  async function restart(config: string): Promise<void> {
    await server?.stop();
    server = await startServer({ binary: await testServerBinary(), port, storeDir: folder(), config });
    port = server.port;
  }

  beforeEach(async function () {
    this.timeout(180_000);
    server = undefined;
    port = 0;
    await restart(USERS);
  });
  afterEach(async () => {
    await stopAll();
    await server?.stop();
  });

  async function start(retry: string): Promise<{ member: Cli; publisher: Cli }> {
    const env = {
      NATS_URL: `nats://127.0.0.1:${port}`,
      NATS_USER: 'us',
      NATS_PASSWORD: 'secret',
      NATS_AUTH_RETRY: retry,
    };
    const member = startCli(['consume', '--output', 'ndjson'], { env });
    await member.tookOver(8);
    const publish = ['publish', 'event {{Count}}', '--rate', '50', '--keys', '10', '--quiet', '--dedupe'];
    const publisher = startCli(publish, { env });
    await until('a message is handled', () => member.stdout.length > 0);
    return { member, publisher };
  }

  const bothAreTold = ({ member, publisher }: { member: Cli; publisher: Cli }) =>
    Promise.all([member, publisher].map((cli) => cli.note(/refuses the credentials: trying again for/)));

  it('refused credentials end neither a member nor a publisher within two seconds', async () => {
    const { member, publisher } = await start('30s');
    await restart(OTHERS);
    await bothAreTold({ member, publisher });
    await sleep(2_000);
    const before = member.stdout.length;
    await restart(USERS);
    await until('the member continues', () => member.stdout.length > before + 50, 20_000);
    publisher.signal('SIGINT');
    const published = await publisher.exited;
    assert.equal(published.code, 0, published.stderr);
    member.signal('SIGTERM');
    const { code, stderr } = await member.exited;
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/refuses the credentials/g)?.length, 1, stderr);
    // The client reports a break and a reconnection for each refused attempt. The log has only one line of each kind.
    for (const said of [/disconnected from NATS/g, /connected to NATS at \S+ again after/g])
      assert.equal(stderr.match(said)?.length, 1, stderr);
  });

  it('refused credentials end a member and a publisher after the time for retries', async () => {
    const { member, publisher } = await start('1s');
    await restart(OTHERS);
    await bothAreTold({ member, publisher });
    for (const cli of [member, publisher]) {
      const { code, stderr } = await cli.exited;
      assert.equal(code, 4, stderr);
      assert.match(
        stderr,
        /Error: The connection to NATS was closed: the server no longer accepts the credentials\./,
      );
    }
  });
});
