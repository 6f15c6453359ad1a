import assert from 'node:assert/strict';
import { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemReason } from '../../src/core/lib/system-reason.js';
import { isProcessId, signalChild, signalGroup } from '../../src/local/child.js';
import { signalMember } from '../../src/top/act/local-process.js';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));

/** What `spawn` returns if the system refuses: a child process without a pid. */
class NeverStarted extends ChildProcess {
  readonly signals: unknown[] = [];
  override kill(signal?: NodeJS.Signals | number): boolean {
    this.signals.push(signal);
    return true;
  }
}

describe('child processes', () => {
  it('a child process that never started gets no signal: process id 0 would be our own process group', () => {
    const child = new NeverStarted();
    signalChild(child, 'SIGKILL');
    signalGroup(child, 'SIGKILL');
    assert.deepEqual(child.signals, []);
  });

  it('child processes are signalled in one place, which checks the process id', () => {
    const signalling = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .filter((file) => /\.kill\([^)]/.test(readFileSync(join(SOURCES, file), 'utf8')));
    assert.deepEqual(signalling.sort(), [
      // Signals its own process, with the signal that it has caught.
      'cli/ending.ts',
      'local/child.ts',
      // Asks with signal 0 whether a process runs.
      'local/server/process.ts',
      // Signals a member in another process, after many checks.
      'top/act/local-process.ts',
    ]);
  });

  it('a valid process id is above 1', () => {
    for (const pid of [0, 1, -1, -4711, 0.5, Number.NaN, 2 ** 60]) assert.equal(isProcessId(pid), false);
    assert.equal(isProcessId(4711), true);
  });

  it('a member whose pid is a process group, or this screen, gets no signal', async () => {
    for (const pid of [0, 1, -1, process.pid]) {
      const target = {
        session: 's',
        name: 'n',
        host: 'h',
        pid,
        startedAt: new Date().toISOString(),
        local: true,
      };
      assert.match((await signalMember(target, 'SIGKILL')) ?? 'killed', /not a valid|own process/);
    }
  });

  it("a failed start gives the system's reason as text", () => {
    const error = Object.assign(new Error('spawn EMFILE'), { errno: -24, code: 'EMFILE' });
    assert.equal(systemReason(error), 'too many open files (EMFILE)');
    assert.equal(systemReason(new Error('something else')), 'something else');
    assert.equal(systemReason('text'), 'text');
  });
});
