import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { refuseUnusedInput } from '../../src/cli/publish/input.js';
import { withTempFolder } from '../support/temp.js';

describe('input on a pipe that is not used', () => {
  const folder = withTempFolder();

  /** The reading end of a pipe that stays open. */
  function pipe(name: string, content: string): { fd: number; stream: Socket } {
    const path = join(folder(), name);
    execFileSync('mkfifo', [path]);
    const fd = openSync(path, 'r+');
    if (content !== '') writeSync(fd, content);
    return { fd, stream: new Socket({ fd, writable: false }) };
  }

  it('unused input is refused, even if the event loop is busy for longer than the command waits', async () => {
    const refused = assert.rejects(refuseUnusedInput(pipe('full', 'line\n')), /There is input on a pipe/);
    // Keeps the event loop busy, as the loading of other modules does.
    const end = performance.now() + 200;
    while (performance.now() < end);
    await refused;
  });

  it('unused input is not assumed if the pipe is open and empty', async () => {
    await refuseUnusedInput(pipe('empty', ''));
  });
});
