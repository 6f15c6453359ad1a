import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CliExit, runCli, startCli, stopAll, takenOver } from '../support/cli.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const DOCUMENT = fileURLToPath(new URL('../../docs/permissions.md', import.meta.url));

/** The document's configuration. Only the passwords are changed. */
const CONFIG = (/```conf\n([\s\S]*?)```/.exec(readFileSync(DOCUMENT, 'utf8'))?.[1] ?? '').replace(
  /\$(\w+)_PASSWORD/g,
  (_, role: string) => role.toLowerCase(),
);

type Role = 'publisher' | 'consumer' | 'observer' | 'operator' | 'redriver' | 'anybody';

describe('permissions as documented', function () {
  this.timeout(60_000);
  // An unrestricted user prepares the roles' stream and group.
  const everything = CONFIG.replace('users = [', 'users = [ { user: anybody, password: anybody }');
  const server = new TestServer({ config: everything });

  before(async function () {
    this.timeout(240_000);
    await server.start();
    await succeeds('operator', ['stream', 'create', '--partitions', '4']);
  });

  after(async () => {
    await stopAll();
    await server.stop();
  });

  /**
   * A role's environment. A command waits far longer than the tests may take. So a refused command that waits for an answer fails the test.
   */
  const env = (role: Role) => ({
    NATS_URL: server.url,
    NATS_USER: role,
    NATS_PASSWORD: role,
    NATS_TIMEOUT: '10m',
  });

  async function succeeds(role: Role, args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCli(args, { env: env(role) });
    assert.equal(code, 0, `${role}: ${args.join(' ')}: ${stderr}${stdout}`);
    assert.doesNotMatch(stderr, /not permitted|violation/i);
    return stdout;
  }

  /** Asserts that a command is refused at once, with one line that names the subject. */
  async function refused(role: Role, args: string[], subject: string): Promise<CliExit> {
    const exit = await runCli(args, { env: env(role) });
    assert.equal(exit.code, 4, `${role}: ${args.join(' ')}: ${exit.stderr}`);
    const lines = exit.stderr.split('\n');
    assert.equal(lines.length, 1, exit.stderr);
    assert.ok(lines[0]?.includes(subject), `${exit.stderr} does not name ${subject}`);
    return exit;
  }

  it('the permissions let a publisher publish, and a consumer consume, commit, and answer the operator', async () => {
    await succeeds('publisher', ['publish', '--count', '100', '--keys', '10', '--quiet']);
    const consumer = startCli(['consume', '--name', 'worker', '--output', 'ndjson'], {
      env: env('consumer'),
    });
    await consumer.tookOver(4);
    await succeeds('publisher', ['publish', '--count', '20', '--keys', '10', '--quiet']);
    const other = startCli(['consume', '--name', 'other', '--until-caught-up', '--output', 'none'], {
      env: env('consumer'),
    });
    assert.equal((await other.exited).code, 0);
    assert.match(await succeeds('operator', ['leases', 'release', '3']), /p3 stays with worker/);
    assert.match(await succeeds('operator', ['leases', 'retry', '3']), /p3: nothing holds it up/);
    assert.match(await succeeds('operator', ['leases', 'pause', '2']), /p2 paused/);
    assert.match(await succeeds('operator', ['leases', 'resume', '2']), /p2 resumed/);
    assert.match(await succeeds('operator', ['leases', 'pin', '1', '--to', 'worker']), /pinned to worker/);
    assert.match(await succeeds('operator', ['leases', 'unpin', '1']), /no longer pinned/);
    assert.match(
      await succeeds('operator', ['leases', 'seek', '--all', '--to', 'first', '--force']),
      /handled again/,
    );
    assert.match(await succeeds('operator', ['stream', 'trim', '--dry-run']), /DELETE/);
    consumer.signal('SIGTERM');
    const { code, stderr } = await consumer.exited;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /warning|not permitted|violation/i);
    assert.match(await succeeds('operator', ['stream', 'trim', '--force']), /Deleted/);
    assert.match(await succeeds('operator', ['stream', 'purge', '--force']), /Deleted/);
    assert.match(
      await succeeds('operator', ['groups', 'delete', 'default', '--yes']),
      /Deleted group default/,
    );
  });

  it('the permissions let an observer see everything', async () => {
    const consumer = startCli(['consume', '--name', 'seen', '--output', 'none'], { env: env('consumer') });
    await consumer.tookOver(4);
    await succeeds('publisher', ['publish', '--count', '20', '--keys', '10', '--quiet']);
    const status: unknown = JSON.parse(await succeeds('observer', ['leases', '--json']));
    assert.match(JSON.stringify(status), /"state":"running"/);
    assert.match(await succeeds('observer', ['leases', '--members']), /seen .* live/);
    assert.match(await succeeds('observer', ['leases', 'history', '3']), /claimed/);
    assert.match(await succeeds('observer', ['leases', 'check']), /healthy/);
    assert.match(await succeeds('observer', ['stream']), /default/);
    assert.match(await succeeds('observer', ['groups']), /default .* running/);
    assert.match(await succeeds('observer', ['stream', 'tail', '--no-follow', '--last', '3']), /#\d+/);
    assert.match(await succeeds('observer', ['top', '--once']), /seen/);
    const exporter = startCli(['exporter', '--port', '0', '--json'], { env: env('observer') });
    await until('the exporter has read the group', () => exporter.stdout.length > 0);
    const { url } = JSON.parse(exporter.stdout[0] ?? '');
    const { state, members, problems } = JSON.parse(await (await fetch(`${url}/groups/default`)).text());
    assert.deepEqual([state, members, problems], ['running', 1, []]);
    exporter.signal('SIGTERM');
    assert.equal((await exporter.exited).code, 0);
    const watch = startCli(['leases', 'watch'], { env: env('observer') });
    await watch.note(/Watching/);
    watch.signal('SIGINT');
    assert.equal((await watch.exited).code, 0);
    consumer.signal('SIGTERM');
    await consumer.exited;
  });

  it('the permissions let an observer change nothing', async () => {
    const consumer = startCli(['consume', '--name', 'left-alone', '--output', 'none'], {
      env: env('consumer'),
    });
    await consumer.tookOver(4);
    await refused('observer', ['publish', 'x'], 'subject.events.p.');
    await refused('observer', ['leases', 'retry', '1'], '.retry');
    await refused('observer', ['leases', 'pause', '1'], '$KV.EVENTS_leases.group.default.override.1');
    await refused('observer', ['leases', 'pin', '1', '--to', 'left-alone'], 'override.1');
    await refused('observer', ['leases', 'seek', '1', '--to', 'first', '--force'], 'override.1');
    await refused('observer', ['stream', 'purge', '--force'], '$JS.API.STREAM.PURGE.EVENTS');
    await refused('observer', ['stream', 'delete', '--force'], '$JS.API.STREAM.DELETE.EVENTS');
    await refused('observer', ['consume', '--name', 'spy'], '$KV.EVENTS_leases.alive.default.');
    const released = await runCli(['leases', 'release', '1', '--force'], { env: env('observer') });
    assert.equal(released.code, 4);
    assert.doesNotMatch(released.stderr, /--force/);
    assert.match(released.stderr, /not permitted to publish natspoc\.EVENTS\.default\.\w+\.release/);
    consumer.signal('SIGTERM');
    const { stderr } = await consumer.exited;
    assert.equal(stderr.split('\n').flatMap(takenOver).length, 4);
  });

  it('a member that may not delete the readers of previous owners ends, and names the missing permission', async () => {
    const lacking = new TestServer({
      config: CONFIG.replace(
        '"$JS.API.CONSUMER.MSG.NEXT.EVENTS.*", "$JS.API.CONSUMER.DELETE.EVENTS.*"',
        (both) => both.replace(', "$JS.API.CONSUMER.DELETE.EVENTS.*"', ''),
      ),
    });
    await lacking.start();
    try {
      const at = (role: Role) => ({ env: { ...env(role), NATS_URL: lacking.url } });
      const created = await runCli(['stream', 'create', '--partitions', '4'], at('operator'));
      assert.equal(created.code, 0, created.stderr);
      const first = startCli(['consume', '--name', 'first', '--output', 'none'], at('consumer'));
      await first.tookOver(4);
      first.signal('SIGTERM');
      assert.equal((await first.exited).code, 0);
      const { code, stderr } = await startCli(
        ['consume', '--name', 'next', '--output', 'none'],
        at('consumer'),
      ).exited;
      assert.equal(code, 4, stderr);
      const errors = stderr.split('\n').filter((line) => line.startsWith('Error:'));
      assert.equal(errors.length, 1, stderr);
      assert.match(
        errors[0] ?? '',
        /^Error: Could not delete reader natspoc-default-p\d-e\d+-[0-9a-f]+ of EVENTS: not permitted to publish \$JS\.API\.CONSUMER\.DELETE\.EVENTS\./,
      );
    } finally {
      await lacking.stop();
    }
  });

  it('the permissions keep a publisher from reading, and a consumer from publishing and from other groups', async () => {
    await refused('publisher', ['leases'], '$JS.API.CONSUMER.CREATE.KV_EVENTS_leases');
    await refused('publisher', ['exporter', '--port', '0'], '$JS.API.CONSUMER.CREATE.KV_EVENTS_leases');
    const blind = await runCli(['top', '--once'], { env: env('publisher') });
    assert.equal(blind.code, 4, blind.stdout);
    assert.match(blind.stdout, /not permitted .*\$JS\.API\.CONSUMER\.CREATE\.KV_EVENTS_leases/);
    const owning = await runCli(['consume', '--output', 'none'], { env: env('operator') });
    assert.equal(owning.code, 4, owning.stderr);
    assert.match(owning.stderr, /not permitted to publish \$KV\.EVENTS_leases\.group\.default\.lease\./);
    await refused('operator', ['publish', 'x'], 'subject.events.p.');
    await refused('publisher', ['consume'], '$JS.API.CONSUMER.CREATE.KV_EVENTS_leases');
    await refused('consumer', ['publish', 'x'], 'subject.events.p.');
    await refused('consumer', ['consume', '--group', 'other'], 'other');
    await refused('consumer', ['stream', 'purge', '--force'], '$JS.API.STREAM.PURGE.EVENTS');
  });

  it('a consumer that may not store a dead letter says so to the operator, and tries the message again', async () => {
    await succeeds('operator', ['stream', 'purge', '--force']);
    const consumer = startCli(['consume', '--exec', 'exit 1', '--backoff', '10m', '--max-attempts', '9'], {
      env: env('consumer'),
    });
    await consumer.tookOver(4);
    await succeeds('publisher', ['publish', 'x', '--partition', '0', '--quiet']);
    const told = await consumer.note(/message \d+, attempt 1 failed/);
    const [, sequence = ''] = /message (\d+),/.exec(told) ?? [];
    const exit = await runCli(['leases', 'skip', '0', '--message', sequence, '--dead-letter', '--yes'], {
      env: env('operator'),
    });
    assert.equal(exit.code, 1, exit.stderr);
    assert.match(
      exit.stderr,
      /message \d+ could not be given up: message .* failed attempt 1\/9, next in .*/,
    );
    assert.match(exit.stderr, /STREAM\.INFO\.EVENTS_dead; before: .*; "leases retry 0" tries it now/);
    assert.match(await succeeds('operator', ['leases', 'retry', '0']), /p0: .* tries again now/);
    await consumer.note(/message \d+, attempt 2 failed \(retry\): the command/);
    consumer.signal('SIGTERM');
    await consumer.exited;
  });

  it('the permissions let a redriver, but no other role, put dead letters back', async () => {
    const redrive = (...flags: string[]) => succeeds('redriver', ['stream', 'redrive', ...flags]);
    await succeeds('operator', ['stream', 'purge', '--force']);
    assert.match(await redrive(), /^0 put back: there are no dead letters$/);
    await succeeds('publisher', ['publish', '--count', '3', '--keys', '3', '--quiet']);
    const failing = ['--exec', 'exit 1', '--on-failure', 'dead-letter', '--max-attempts', '1'];
    await succeeds('anybody', ['consume', '--until-caught-up', '--group', 'broken', ...failing]);
    await refused('operator', ['stream', 'redrive'], '$JS.API.CONSUMER.CREATE.EVENTS_dead');
    await refused('publisher', ['stream', 'redrive'], '$JS.API.CONSUMER.CREATE.EVENTS_dead');
    assert.equal((await redrive('--dry-run')).split('\n').length, 3);
    assert.match(await redrive(), /^3 put back$/);
    assert.match(await redrive(), /^0 put back/);
    const tail = await succeeds('observer', ['stream', 'tail', '--no-follow', '--last', '9']);
    assert.equal(tail.match(/#\d+/g)?.length, 6, tail);
    await refused('redriver', ['leases'], '$JS.API.CONSUMER.CREATE.KV_EVENTS_leases');
    await refused('redriver', ['stream', 'purge', '--force'], '$JS.API.STREAM.PURGE.EVENTS');
  });
});
