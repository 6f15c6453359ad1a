import assert from 'node:assert/strict';
import { RetentionPolicy } from 'nats';
import { runCli } from '../support/cli.js';
import { withManager } from '../support/with-manager.js';

const COMMANDS = [
  ['leases'],
  ['leases', 'check'],
  ['leases', 'seek', '0', '--to', 'first', '--dry-run'],
  ['leases', 'resize', '3'],
  ['groups'],
  ['stream'],
];

describe('a stream of other programs that has no bucket', function () {
  this.timeout(60_000);
  const client = withManager();

  async function allSay(stream: string, pattern: RegExp): Promise<void> {
    for (const command of COMMANDS) {
      const flags = ['--stream', stream, '--server', client.server.url];
      const { code, stderr } = await runCli([...command, ...flags]);
      assert.equal(code, 1, `${command.join(' ')}: ${stderr}`);
      assert.match(stderr, pattern);
    }
  }

  it('all commands advise to consume with a key, or to import saved groups', async () => {
    await client.manager.streams.add({ name: 'ODD', subjects: ['odd.>'] });
    await allSay(
      'ODD',
      /^Error: Stream ODD has no bucket ODD_leases: .* "natspoc consume --key KEY --server \S+ --stream ODD" creates it, with a key such as subject:2; "natspoc groups import FILE --server/,
    );
  });

  it('all commands say that members refuse a work queue and its mirror', async () => {
    await client.manager.streams.add({
      name: 'WORK',
      subjects: ['work.>'],
      retention: RetentionPolicy.Workqueue,
    });
    await client.manager.streams.add({ name: 'COPY', mirror: { name: 'WORK' } });
    await allSay(
      'WORK',
      /^Error: Stream WORK has no bucket .* members refuse the stream\. .* work queue retention/,
    );
    await allSay('COPY', /^Error: Stream COPY has no bucket .* members refuse the stream\. .* mirrors WORK/);
  });
});
