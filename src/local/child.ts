/** Child processes: the only place that sends them signals. */
import type { ChildProcess } from 'node:child_process';
import { getSystemErrorMap } from 'node:util';
import { messageOf } from '../core/lib/errors.js';

/**
 * Sends a signal to a child process. A child that could not be started has no process id; the signal would go to
 * id 0, which means our own process group and the shell that started us. Such a child gets nothing.
 */
export function signalChild(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) child.kill(name);
}

/**
 * Sends a signal to a child that was started `detached`, and to all processes of its group. What has left that group
 * (setsid) is not reached. Never throws: a group that has ended needs no signal.
 */
export function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-pid, name);
  } catch {
    // It has ended.
  }
}

/** True for a number that names one process: 0 and negative ones name groups, 1 is the system's own. */
export function isProcessId(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 1;
}

/** What the system says of a failed call, in words: `too many open files (EMFILE)`. Anything else: its message. */
export function systemReason(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  const [code, words] = (typeof errno === 'number' && getSystemErrorMap().get(errno)) || [];
  return code && words ? `${words} (${code})` : messageOf(error);
}
