import assert from 'node:assert/strict';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

/** Permissions may differ between members: whoever may not answer probes must not be taken for dead by those who ask. */
describe('a member that is not permitted to be a micro service', function () {
  this.timeout(60_000);
  const server = withServer({
    config: `
      authorization { users = [
        { user: loud, password: p }
        { user: mute, password: p, permissions: { publish: ">", subscribe: { allow: [">"], deny: ["$SRV.>", "natspoc.>"] } } }
        { user: deaf, password: p, permissions: { publish: ">", subscribe: { allow: [">"], deny: ["natspoc.>"] } } }
      ] }`,
  });
  let stream = '';
  afterEach(stopAll);

  const env = (user: string) => ({
    NATS_URL: server.url,
    NATS_USER: user,
    NATS_PASSWORD: 'p',
    LEASE_TTL: '3s',
    STREAM_NAME: stream,
    SUBJECT_PREFIX: `${stream}.e`,
  });

  /** The sessions as the bucket has them: how often the session of a member was renewed shows that time has passed. */
  async function expiry(name: string): Promise<{ session: string; expiresInMs: number }> {
    const { stdout } = await runCli(['leases', '--json'], { env: env('loud') });
    const status: unknown = JSON.parse(stdout);
    assert.ok(typeof status === 'object' && status !== null && 'members' in status);
    assert.ok(Array.isArray(status.members));
    const found: unknown = status.members.find((each: { name?: unknown }) => each.name === name);
    assert.ok(typeof found === 'object' && found !== null && 'session' in found && 'expiresInMs' in found);
    return { session: String(found.session), expiresInMs: Number(found.expiresInMs) };
  }

  for (const name of ['mute', 'deaf']) {
    it(`is left alone by those that probe: ${name}`, async () => {
      stream = name;
      const loud = startCli(['consume', '--name', 'loud', '--output', 'none'], { env: env('loud') });
      await loud.note(/claimed p7/);
      const other = startCli(['consume', '--name', name, '--output', 'none'], { env: env(name) });
      await other.note(/acquired p\d/);
      const { session } = await expiry(name);
      // Three probes of 400 ms would be enough to fence it; this is more than the ttl as well.
      const startedAt = performance.now();
      await until('time enough for probes has passed', async () => {
        assert.equal((await expiry(name)).session, session);
        return performance.now() - startedAt > 4_000;
      });
      for (const { stderr } of [loud, other]) {
        assert.deepEqual(
          stderr.filter((line) => /unreachable|has not renewed|fenced|dead/.test(line)),
          [],
        );
      }
      const released = await runCli(['leases', 'release', '--owner', name], { env: env('loud') });
      assert.equal(released.code, 1);
      assert.match(released.stderr, /is gone; .*--force"? fences it/);
      other.signal('SIGTERM');
      assert.equal((await other.exited).code, 0);
      loud.signal('SIGTERM');
      assert.equal((await loud.exited).code, 0);
    });
  }
});
