import assert from 'node:assert/strict';
import { nkeys } from 'nats';
import { redactUrls } from '../../src/core/lib/redact-url.js';
import { OwnStats } from '../../src/core/member/stats/own-stats.js';
import { decodeMemberStats } from '../../src/core/protocol/member-stats.js';
import { runCli } from '../support/cli.js';

const SECRET = 'geh3im';
const SEED = new TextDecoder().decode(nkeys.createUser().getSeed());

describe('secrets', function () {
  this.timeout(30_000);

  /** No server listens here, so all output is about the arguments. */
  const HERE = ['-s', 'nats://127.0.0.1:1'];
  const GIVEN: [what: string, args: string[], env?: Record<string, string>][] = [
    ['in a URL, with a slash', ['-s', `nats://u:${SECRET}/${SECRET}@127.0.0.1:1`]],
    ['in a URL, with a comma', ['-s', `nats://u:${SECRET},${SECRET}@127.0.0.1:1`]],
    ['in a URL, with an at sign', ['-s', `nats://u:${SECRET}@${SECRET}@127.0.0.1:1`]],
    ['in a URL of the environment', [], { NATS_URL: `nats://u:${SECRET}/@127.0.0.1:1` }],
    ['in a misspelt flag', [...HERE, `--pasword=${SECRET}`]],
    ['after a misspelt flag', [...HERE, '--pasword', SECRET]],
    ['in an unknown short flag', [...HERE, `-p${SECRET}`]],
    ['with DEBUG=*', [...HERE, '--user', 'u', '--password', SECRET], { DEBUG: '*' }],
    ['with DEBUG=oclif*', [...HERE, '--token', SECRET], { DEBUG: 'oclif*' }],
    ['that is given in place of its file', [...HERE, '--nkey', SEED], { DEBUG: '*' }],
    ['that is given in place of its file, in the environment', HERE, { NATS_CREDS: SEED }],
  ];
  for (const [what, args, env = {}] of GIVEN) {
    it(`no output shows a secret ${what}`, async () => {
      for (const debug of [env, { DEBUG: '*', ...env }]) {
        const { code, stdout, stderr } = await runCli(['leases', ...args], { env: debug });
        assert.notEqual(code, 0);
        assert.match(stderr, /^Error: /m);
        const all = stdout + stderr;
        assert.ok(!all.includes(SECRET) && !all.includes(SEED), all);
      }
    });
  }

  it('secrets are removed from URLs, and nothing else is removed', () => {
    assert.equal(redactUrls('nats://a:1, tls://b:2'), 'nats://a:1, tls://b:2');
    assert.equal(redactUrls('nats://u:p@a:1,nats://t@b:2,c'), 'nats://a:1, nats://b:2,c');
    assert.equal(redactUrls('u:p/q@a:1'), 'a:1');
  });
});

describe('the uptime of a member', () => {
  it('the uptime is not negative after the wall clock is set back, and STATS stays readable', () => {
    const { now } = Date;
    const stats = new OwnStats();
    try {
      Date.now = () => now() - 3_600_000;
      const counters = { handled: 0, failed: 0, retried: 0, skipped: 0, deadLettered: 0, withoutKey: 0 };
      const about = { id: 'S', name: 'n', group: 'g', stream: 's', version: '0.0.0', partitions: [] };
      const told = stats.stats({ ...about, counters, inFlight: 0 });
      assert.ok(told.uptimeMs >= 0);
      assert.ok(decodeMemberStats(JSON.parse(JSON.stringify(told))));
    } finally {
      Date.now = now;
      stats.stop();
    }
  });
});
