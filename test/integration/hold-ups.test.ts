import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliExit, runCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

describe('the hold-up of a partition', function () {
  this.timeout(90_000);
  let run: GroupRun;
  const server = withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '1' },
  );
  const folder = withTempFolder();

  const natspoc = (...args: string[]): Promise<CliExit> =>
    runCli([...args, ...run.args, '--server', server.url]);

  /** Starts a member whose handler fails only at the third message. Two more messages wait after it. */
  const failing = (...flags: string[]): Promise<void> =>
    consuming("if (sequence === 3) throw new Error('no connection to \\u001b[31mthe database');", ...flags);

  /** Starts a member whose handler has this body, and publishes five messages. */
  async function consuming(body: string, ...flags: string[]): Promise<void> {
    const module = join(folder(), 'handler.mjs');
    writeFileSync(module, `export default ({ sequence }) => { ${body} };`);
    run.consume('a', ['--handler', module, ...flags]);
    await run.atRest();
    const { code, stderr } = await natspoc('publish', 'event', '--count', '5', '--keys', '1', '--quiet');
    assert.equal(code, 0, stderr);
  }

  async function partition(): Promise<{
    state: string;
    position: number;
    holdUp: Record<string, unknown> | null;
  }> {
    const { stdout } = await natspoc('leases', '--json');
    return JSON.parse(stdout).partitions[0];
  }
  const untilState = (state: string): Promise<void> =>
    until(`p0 is ${state}`, async () => (await partition()).state === state);

  it('a hold-up is shown while a message waits for its next attempt, and "leases retry" ends the wait', async () => {
    await failing('--max-attempts', '100', '--backoff', '2m');
    await untilState('retrying');
    const { holdUp } = await partition();
    const { nextInMs, forMs, key, ...told } = holdUp ?? {};
    assert.deepEqual(told, {
      why: 'retrying',
      sequence: 3,
      attempt: 1,
      maxAttempts: 100,
      reason: 'no connection to \u001b[31mthe database',
      others: 0,
    });
    assert.ok(Number(nextInMs) > 0 && Number(nextInMs) <= 120_000, String(nextInMs));
    assert.ok(Number(forMs) < 30_000, String(forMs));
    const table = await natspoc('leases');
    assert.match(
      table.stdout,
      / retrying 1\/100 in .+\n {4}message 3 .*failed attempt 1\/100, next in .*database/,
    );
    assert.ok(!table.stdout.includes('\u001b'), 'an error cannot control the terminal');
    const retried = await natspoc('leases', 'retry', '0');
    assert.deepEqual([retried.code, retried.stdout], [0, 'p0: a tries again now']);
    await until('the message was tried again', async () => (await partition()).holdUp?.attempt === 2);
    assert.equal((await partition()).position, 2);
  });

  it('a hold-up is shown for a halted partition, which "leases retry" starts again', async () => {
    await failing('--max-attempts', '1');
    await untilState('halted');
    const { code, stdout } = await natspoc('leases', 'check');
    assert.equal(code, 5);
    assert.match(
      stdout,
      /p0 of a is halted for .* at message 3 .*attempt 1\/1: no connection .*"leases retry 0" tries it now, "leases skip 0 --message 3"/,
    );
    const before = run.members.get('a')?.stderr.filter((line) => line.includes('halted p0')).length;
    assert.equal(before, 1);
    await run.members
      .get('a')
      ?.note(
        /halted p0: .*; "natspoc leases retry 0 --server \S+ --stream \S+" starts the partition again, "natspoc leases --server \S+ --stream \S+" shows/,
      );
    assert.equal((await natspoc('leases', 'retry', '--all')).stdout, 'p0: a tries again now');
    await run.members.get('a')?.note(/resumed p0 at epoch \d+/);
    await until(
      'p0 halts again',
      () => run.members.get('a')?.stderr.filter((line) => line.includes('halted p0')).length === 2,
    );
  });

  it('a hold-up ends when an operator skips the message of a halted partition, and nothing else is skipped', async () => {
    await failing('--max-attempts', '1');
    await untilState('halted');
    const wrong = await natspoc('leases', 'skip', '0', '--message', '4', '--yes');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /message 4 does not hold p0 up/);
    const asked = await natspoc('leases', 'skip', '0', '--message', '3');
    assert.equal(asked.code, 4, 'nothing is skipped without a confirmation');
    assert.match(
      asked.stderr,
      /Message 3 of p0 would never be handled by this group\. Nothing was done: add --force/,
    );
    const mistyped = await natspoc('leases', 'skip', '0', '--message', '4');
    assert.equal(mistyped.code, 1, 'a wrong message is refused before a question');
    assert.match(mistyped.stderr, /message 4 does not hold p0 up/);
    const { code, stdout, stderr } = await natspoc('leases', 'skip', '0', '--message', '3', '--yes');
    assert.deepEqual([code, stdout], [0, 'p0: a has skipped the message'], stderr);
    await until('the other messages are handled', async () => (await partition()).position === 5);
    assert.deepEqual([(await partition()).state, (await partition()).holdUp], ['running', null]);
    assert.equal((await natspoc('leases', 'release', '0')).code, 0);
    const [, ...again] = [...(run.members.get('a')?.stderr ?? [])].filter((line) =>
      /(claimed|resumed) p0/.test(line),
    );
    assert.ok(again.length > 0 && again.every((line) => line.includes('resumed p0 at epoch')), again.join());
    const none = await natspoc('leases', 'retry', '0');
    assert.deepEqual([none.code, none.stdout], [0, 'p0: nothing holds it up']);
  });

  it('a hold-up ends when an operator stores the message as a dead letter', async () => {
    await failing('--max-attempts', '100', '--backoff', '10m');
    await untilState('retrying');
    const { code, stdout } = await natspoc(
      'leases',
      'skip',
      '0',
      '--message',
      '3',
      '--dead-letter',
      '--yes',
      '--json',
    );
    assert.equal(code, 0, stdout);
    assert.equal(JSON.parse(stdout).outcome, 'dead-letter');
    const listed = await natspoc('stream', 'redrive', '--dry-run', '--json');
    assert.match(listed.stdout, /given up by .* after attempt 1: no connection/, listed.stderr);
  });

  it('a hold-up by a handler that hangs has the key of its message, and ends when an operator skips the message', async () => {
    await consuming('if (sequence === 3) return new Promise(() => {})');
    await until('the handler holds p0 up', async () => (await partition()).holdUp?.why === 'handler', 30_000);
    const { sequence, key, reason } = (await partition()).holdUp ?? {};
    assert.deepEqual([sequence, key, reason], [3, 'key-0', 'the handler of message 3 runs']);
    const check = await natspoc('leases', 'check');
    assert.equal(check.code, 0, check.stdout);
    assert.doesNotMatch(check.stdout, /needs attention/, 'a slow handler may be normal');
    const help = '"leases skip 0 --message 3" gives the message up';
    const retried = await natspoc('leases', 'retry', '0');
    const cause = 'no progress for .*: the handler of message 3 runs; .*';
    assert.match(retried.stdout, new RegExp(`^p0: no message waits for another attempt: ${cause}`));
    const other = await natspoc('leases', 'skip', '0', '--message', '4');
    assert.match(other.stderr, new RegExp(`message 4 does not hold p0 up; this does: ${cause}${help}`));
    const { code, stdout, stderr } = await natspoc('leases', 'skip', '0', '--message', '3', '--yes');
    assert.deepEqual([code, stdout], [0, 'p0: a has skipped the message'], stderr);
    await until('the other messages are handled', async () => (await partition()).position === 5);
    await until('nothing holds p0 up', async () => (await partition()).holdUp === null);
  });
});
