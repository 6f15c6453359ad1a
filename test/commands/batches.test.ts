import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../support/cli.js';
import { withPlace } from '../support/place.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';

describe('natspoc consume in batches', function () {
  this.timeout(60_000);
  const server = withServer();
  const folder = withTempFolder();
  const place = withPlace(server, 'B');

  const publish = async (count: number) => {
    const args = ['{{Count}}', '--count', String(count), '--partitions', '2', '-q', ...place()];
    const exit = await runCli(['publish', ...args]);
    assert.equal(exit.code, 0, exit.stderr);
  };
  const consume = (...args: string[]) => runCli(['consume', ...place(), '--until-caught-up', ...args]);
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

  it('consume runs the command of --exec for up to N messages of a partition, and the command gets them as lines of NDJSON', async () => {
    await publish(100);
    const exit = await consume('--exec', 'echo $NATSPOC_MESSAGES; cat', '--exec-batch', '20');
    assert.equal(exit.code, 0, exit.stderr);
    const [counts, messages] = [
      lines(exit.stdout).filter((line) => !line.startsWith('{')),
      lines(exit.stdout).filter((line) => line.startsWith('{')),
    ];
    assert.equal(
      counts.map(Number).reduce((sum, count) => sum + count, 0),
      100,
    );
    assert.ok(counts.every((count) => Number(count) <= 20));
    const seen = messages.map((line) => JSON.parse(line) as { sequence: number; partition: number });
    assert.equal(new Set(seen.map(({ sequence }) => sequence)).size, 100);
    for (const partition of [0, 1]) {
      const own = seen.filter((each) => each.partition === partition).map(({ sequence }) => sequence);
      assert.deepEqual(
        own,
        [...own].sort((a, b) => a - b),
      );
    }
  });

  it('consume tries the messages of a failed batch one at a time, and skips only the message that fails', async () => {
    await publish(20);
    const command = 'input=$(cat); case "$input" in *\'"data":"13"\'*) exit 3;; esac; echo "$input"';
    const args = ['--exec', command, '--exec-batch', '50', '--backoff', '1ms', '--max-attempts', '2'];
    const exit = await consume(...args, '--on-failure', 'skip');
    assert.equal(exit.code, 0, exit.stderr);
    const seen = lines(exit.stdout).map((line) => (JSON.parse(line) as { data: string }).data);
    assert.equal(seen.length, 19);
    assert.ok(!seen.includes('13'));
    assert.match(exit.stderr, /message 13, attempt 2 failed \(skip\): the command ended with exit code 3/);
  });

  it("consume calls the batchHandler of a module with the module's limits, and writes the lines of handled messages", async () => {
    await publish(30);
    const file = join(folder(), 'bulk.mjs');
    const module = `export const batch = { messages: 10, waitMs: 20 };
      export async function batchHandler(messages) { console.error('batch of ' + messages.length); }`;
    writeFileSync(file, module);
    const exit = await consume('--handler', file, '--output', 'ndjson');
    assert.equal(exit.code, 0, exit.stderr);
    assert.equal(lines(exit.stdout).length, 30);
    const sizes = [...exit.stderr.matchAll(/batch of (\d+)/g)].map(([, size]) => Number(size));
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      30,
    );
    assert.ok(sizes.every((size) => size <= 10));
  });

  it('consume refuses invalid batch limits, and flags that cannot be combined with batches', async () => {
    const file = join(folder(), 'wrong.mjs');
    writeFileSync(file, 'export const batch = { messages: 0 }; export const batchHandler = () => {};');
    const both = join(folder(), 'both.mjs');
    writeFileSync(both, 'export default () => {}; export const batchHandler = () => {};');
    for (const [args, code, pattern] of [
      [['--exec-batch', '5'], 2, /--exec-batch/],
      [['--exec', 'cat', '--exec-batch', '0'], 2, /--exec-batch/],
      [
        ['--exec', 'cat', '--exec-batch', '5', '--concurrency', '4'],
        2,
        /--concurrency must be 1 with batches/,
      ],
      [['--exec', 'cat', '--exec-batch', '5', '--work', '1ms'], 2, /--work/],
      [['--handler', file], 2, /the batch of .*wrong\.mjs is not an object with messages/],
      [['--handler', both], 2, /both\.mjs exports a handler and a batchHandler/],
    ] as const) {
      const exit = await consume(...args);
      assert.equal(exit.code, code, `${args.join(' ')}: ${exit.stderr}`);
      assert.match(exit.stderr, pattern);
    }
  });
});
