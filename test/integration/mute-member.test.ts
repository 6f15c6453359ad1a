import assert from 'node:assert/strict';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { renewed } from '../support/renewals.js';
import { withServer } from '../support/server.js';

/** Permissions can differ between members. A member that may not answer probes must not count as dead. */
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

  for (const name of ['mute', 'deaf']) {
    it(`probing members do not suspect a member that is not permitted to answer: ${name}`, async () => {
      stream = name;
      const loud = startCli(['consume', '--name', 'loud', '--output', 'none'], { env: env('loud') });
      await loud.tookOver(8);
      const other = startCli(['consume', '--name', name, '--output', 'none'], { env: env(name) });
      await other.note(/acquired p\d/);
      // If a member does not renew, three probes of 400 ms are enough to fence it.
      await renewed({ servers: server.url, user: 'loud', pass: 'p' }, stream, name, 4);
      for (const { stderr } of [loud, other]) {
        assert.deepEqual(
          stderr.filter((line) => /unreachable|has not renewed|fenced|dead/.test(line)),
          [],
        );
      }
      const checked = await runCli(['leases', 'check', '--wait', '5s'], { env: env('loud') });
      assert.equal(checked.code, 0, checked.stdout);
      assert.match(checked.stdout, /: healthy, 2 members ·/);
      assert.match(
        checked.stdout,
        new RegExp(`note +${name} renewed [^:]+ ago, but no subscriber answers for it:`),
      );
      const listed = await runCli(['leases'], { env: env('loud') });
      assert.match(listed.stdout, /but no subscriber answers for it/);
      const groups = await runCli(['groups'], { env: env('loud') });
      assert.doesNotMatch(groups.stdout, /unreachable/);
      const released = await runCli(['leases', 'release', '--owner', name], { env: env('loud') });
      assert.equal(released.code, 1);
      assert.match(released.stderr, /accepts no such request: .*--force"? fences it/);
      other.signal('SIGTERM');
      assert.equal((await other.exited).code, 0);
      loud.signal('SIGTERM');
      assert.equal((await loud.exited).code, 0);
    });
  }
});
