import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';

/** Ends its process at the message 50. */
const HANDLER = `import { writeSync } from 'node:fs';
export default async ({ data }) => {
  const text = Buffer.from(data).toString();
  await new Promise((resolve) => setTimeout(resolve, 2));
  if (text === '50') process.kill(process.pid, 'SIGKILL');
  writeSync(1, text + '\\n');
};`;

describe('a message that ends its process', function () {
  this.timeout(120_000);
  const server = withServer();
  const folder = withTempFolder();
  afterEach(stopAll);

  it('becomes a dead letter after three or four deaths, and no other message does', async () => {
    const place = ['--server', server.url, '--stream', 'C', '--prefix', 'c', '--partitions', '4'];
    const publish = await runCli(['publish', '{{Count}}', '--count', '100', '--keys', '20', '-q', ...place]);
    assert.equal(publish.code, 0, publish.stderr);
    const module = join(folder(), 'poison.mjs');
    writeFileSync(module, HANDLER);
    const handled = new Set<string>();
    const consume = ['consume', ...place, '--handler', module, '--on-failure', 'dead-letter'];
    let deaths = 0;
    let last = '';
    for (;;) {
      const exit = await runCli([...consume, '--until-caught-up', '--ttl', '1s']);
      for (const line of exit.stdout.split('\n').filter(Boolean)) handled.add(line);
      last = exit.stderr;
      if (exit.code === 0) break;
      assert.ok(++deaths <= 4, last);
    }
    // One more than maxCrashes, if the first owners had other messages in hand.
    assert.ok(deaths >= 3, String(deaths));
    assert.match(
      last,
      /members in a row have died or hung after message \d+; handling one message at a time/,
    );
    assert.deepEqual(
      [...last.matchAll(/message (\d+), attempt \d+ failed/g)].map(([, sequence]) => sequence),
      ['50'],
    );
    assert.equal(handled.size, 99);
  });
});
