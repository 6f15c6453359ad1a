import assert from 'node:assert/strict';
import { RetentionPolicy, type StreamConfig } from 'nats';
import { type CliExit, runCli, startCli, stopAll } from '../support/cli.js';
import { withManager } from '../support/with-manager.js';

describe('a stream whose settings are changed while members run', function () {
  this.timeout(60_000);
  const at = withManager();
  const { server } = at;
  afterEach(stopAll);

  for (const { stream, subjects, flags } of [
    { stream: 'OWN', subjects: 'OWN.p.*', flags: ['--prefix', 'OWN'] },
    { stream: 'ASIS', subjects: 'ASIS.*', flags: ['--key', 'subject:2'] },
  ]) {
    const natspoc = (...args: string[]): Promise<CliExit> =>
      runCli([...args, '--server', server.url, '--stream', stream]);

    /** Changes a setting, and publishes a message. Members read the settings when they handle messages. */
    async function change(settings: Partial<StreamConfig>): Promise<void> {
      await at.manager.streams.update(stream, settings);
      await at.connection.jetstream().publish(subjects === 'OWN.p.*' ? 'OWN.p.0' : 'ASIS.a', 'x');
    }

    it(`a running member warns once of a setting that members refuse, and the check names it: ${flags[0]}`, async function () {
      await at.manager.streams.add({ name: stream, subjects: [subjects] });
      const args = ['consume', '--server', server.url, '--stream', stream, '--partitions', '4', ...flags];
      const member = startCli([...args, '--output', 'ndjson'], {});
      await member.tookOver(4);
      await change({ max_age: 600_000_000_000 });
      await member.note(/drops messages after 10m \(max_age\)/);
      try {
        await change({ retention: RetentionPolicy.Interest });
      } catch {
        // Before nats-server 2.10 the retention of a stream cannot be changed.
        this.skip();
      }
      await member.note(/has interest retention: .* Until then, no member of the group can start\./);
      await change({ max_msgs: 100_000 });
      await member.note(/keeps 100,000 messages and drops the oldest/);
      assert.equal(member.stderr.filter((line) => /max_age|interest/.test(line)).length, 2);
      const checked = await natspoc('leases', 'check');
      assert.equal(checked.code, 5, checked.stderr);
      assert.match(checked.stdout, /NOT HEALTHY, 1 member · 4 of 4 partitions owned/);
      assert.match(checked.stdout, /critical +Stream \w+ has interest retention/);
      const refused = await runCli(args);
      assert.equal(refused.code, 4);
      assert.match(refused.stderr, /has interest retention/);
    });
  }
});
