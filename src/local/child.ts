/** Sends signals to child processes. */
import type { ChildProcess } from 'node:child_process';

/** Sends a signal to a child process. A child that could not be started gets no signal. */
export function signalChild(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) child.kill(name);
}

/**
 * Sends a signal to a child that was started `detached`, and to its process group. Processes that have left the group (setsid) are not
 * reached. Never throws.
 */
export function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-pid, name);
  } catch {
    // The group has ended.
  }
}

/** True for the id of a single process. 0 and negative numbers mean groups, and 1 is init. */
export function isProcessId(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 1;
}
