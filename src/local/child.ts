/** Sends signals to child processes. */
import type { ChildProcess } from 'node:child_process';

/**
 * Sends a signal to a child process. A child that could not be started has no process id and gets no signal. A signal to
 * id 0 would reach our own process group, including the shell that started us.
 */
export function signalChild(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) child.kill(name);
}

/**
 * Sends a signal to a child that was started `detached`, and to all processes of its group. Processes that have left the group
 * (setsid) are not reached. Never throws: a group that has ended needs no signal.
 */
export function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-pid, name);
  } catch {
    // The process group has already ended.
  }
}

/** True for the id of a single process that is not init: 0 and negative numbers mean groups, and 1 is init. */
export function isProcessId(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 1;
}
