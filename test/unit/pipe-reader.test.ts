import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { LineWriter } from '../../src/cli/consume/line-writer.js';
import { takenByReader, watchReader } from '../../src/cli/consume/pipe-output.js';
import { PipeReader } from '../../src/cli/consume/pipe-reader.js';
import { withTempFolder } from '../support/temp.js';

/** Longer than any test. */
const AFTER_MS = 3_600_000;
/** A reader that never goes away. */
const STAYS = { isGone: async () => false };
const never = new Promise<void>(() => {});

describe('the barrier of lines that go to a pipe', () => {
  it('the barrier does not wait if nothing was written since it last resolved', async () => {
    const writer = new LineWriter(new PassThrough());
    const barrier = takenByReader(writer, STAYS, AFTER_MS);
    await barrier(never);
    writer.write('a line');
    await barrier(Promise.resolve());
    await barrier(never);
  });

  it('the barrier waits after each new line, until the last commit is due', async () => {
    const writer = new LineWriter(new PassThrough());
    const barrier = takenByReader(writer, STAYS, AFTER_MS);
    for (const line of ['one', 'two']) {
      writer.write(line);
      let isTaken = false;
      let due = (): void => {};
      const last = new Promise<void>((resolve) => (due = resolve));
      const taken = Promise.resolve(barrier(last)).then(() => (isTaken = true));
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(isTaken, false, line);
      due();
      await taken;
    }
  });
});

describe('the watch on the reader of a pipe', () => {
  it('the watch closes the output if the reader has gone while there is nothing to write', async () => {
    const writer = new LineWriter(new PassThrough());
    writer.write('a line');
    await writer.written();
    const closed = new Promise<void>((resolve) => writer.whenClosed(resolve));
    watchReader(writer, { isGone: async () => true });
    await closed;
    assert.throws(() => writer.write('another line'), /the reader of the output is gone/);
  });

  it('a pipe to which nothing was written needs no reader', async () => {
    const writer = new LineWriter(new PassThrough());
    const cancel = watchReader(writer, { isGone: async () => true });
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    cancel();
    assert.equal(writer.isClosed, false);
  });
});

describe('the reader of a pipe', () => {
  const temp = withTempFolder();

  it('the reader of a named pipe is gone when its last reading end is closed', async () => {
    const path = join(temp(), 'fifo');
    execFileSync('mkfifo', [path]);
    const end = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const reader = new PipeReader(fd);
    assert.equal(await reader.isGone(), false);
    closeSync(end);
    assert.equal(await reader.isGone(), true);
    closeSync(fd);
  });

  it('the reader of a pipe of a shell is gone when the reading process has ended', async () => {
    // The test writes to the pipe between two commands of a shell. The second command ends when the test closes the shell's descriptor 3.
    const first = 'sh -c "echo \\$\\$ >&2; exec sleep 60"';
    const shell = spawn('sh', ['-c', `${first} | { head -n 1 <&3 >/dev/null; :; }`], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    assert.ok(shell.stderr);
    const [line] = await once(shell.stderr, 'data');
    const sleeping = Number(String(line));
    const output = `/proc/${sleeping}/fd/1`;
    // While the shell prints its process id, its standard output is its standard error.
    while (!readlinkSync(output).startsWith('pipe:')) await new Promise((resolve) => setTimeout(resolve, 1));
    const fd = openSync(output, constants.O_WRONLY);
    const reader = new PipeReader(fd);
    assert.equal(await reader.isGone(), false);
    shell.stdio[3]?.destroy();
    while (!(await reader.isGone())) await new Promise((resolve) => setTimeout(resolve, 10));
    closeSync(fd);
    process.kill(sleeping);
  });
});
