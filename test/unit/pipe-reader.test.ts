import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { LineWriter } from '../../src/cli/consume/line-writer.js';
import { takenByReader } from '../../src/cli/consume/pipe-reader.js';

/** This time is longer than any test. */
const AFTER_MS = 3_600_000;
/** This file descriptor is not a pipe, so it never loses its reader. */
const FD = 2;
const never = new Promise<void>(() => {});

describe('the barrier of lines that go to a pipe', () => {
  it('the barrier does not wait if nothing was written since it last resolved', async () => {
    const writer = new LineWriter(new PassThrough());
    const barrier = takenByReader(writer, FD, AFTER_MS);
    await barrier(never);
    writer.write('a line');
    await barrier(Promise.resolve());
    await barrier(never);
  });

  it('the barrier waits after each new line, until the last commit is due', async () => {
    const writer = new LineWriter(new PassThrough());
    const barrier = takenByReader(writer, FD, AFTER_MS);
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
