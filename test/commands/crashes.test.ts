import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const HANDLER = `import { writeSync } from 'node:fs';
export default async ({ data }) => {
  const text = Buffer.from(data).toString();
  await new Promise((resolve) => setTimeout(resolve, 2));
  if (text === '50') process.kill(process.pid, 'SIGKILL');
  writeSync(1, text + '\\n');
};`;

/** A handler that blocks its event loop at message 5, for longer than the test takes. */
const BLOCKING = `import { writeSync } from 'node:fs';
export default async ({ data }) => {
  const text = Buffer.from(data).toString();
  if (text === '5') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200_000);
  writeSync(1, text + '\\n');
};`;

describe('a message that blocks the event loop of its process for longer than the ttl', function () {
  this.timeout(120_000);
  const server = withServer();
  const folder = withTempFolder();
  afterEach(stopAll);

  it('a message that blocks the event loop is skipped after several members were fenced, and later messages are handled', async () => {
    const place = ['--server', server.url, '--stream', 'B', '--prefix', 'b', '--partitions', '1'];
    const publish = await runCli(['publish', '{{Count}}', '--count', '10', '-q', ...place]);
    assert.equal(publish.code, 0, publish.stderr);
    const module = join(folder(), 'blocking.mjs');
    writeFileSync(module, BLOCKING);
    const consume = ['consume', ...place, '--handler', module, '--on-failure', 'skip', '--ttl', '1s'];
    // Message 5 can block four members, one after the other. Each blocked member must be fenced by another one, so a fifth is needed.
    const members = Array.from({ length: 5 }, () => startCli(consume));
    const told = members.map((member) =>
      member.note(/message 5, attempt 1 failed \(skip\): \d members/, 90_000),
    );
    await Promise.any(told);
    await until('the last message is handled', () => members.some(({ stdout }) => stdout.includes('10')));
    for (const note of told) note.catch(() => {});
  });
});

describe('a message that ends its process', function () {
  this.timeout(120_000);
  const server = withServer();
  const folder = withTempFolder();
  afterEach(stopAll);

  it('a message that ends its process becomes a dead letter after three or four deaths, and no other message does', async () => {
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
    // A cautious owner may first handle some messages before message 50. Then the earlier deaths count as one death. The message thus ends
    // one process more than maxCrashes.
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
