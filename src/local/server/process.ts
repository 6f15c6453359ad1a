import { readFileSync } from 'node:fs';

/** Whether Linux has the process down as ended but not yet collected by its parent; false elsewhere. */
function isZombie(pid: number): boolean {
  try {
    // "pid (name) state ...": the name may itself hold parentheses, so the state follows the last one.
    return /^.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Whether a process of this machine runs. An ended process does not, even if its parent does not collect it, as in a
 * container whose first process is no init.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it belongs to another user, so it exists.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return !isZombie(pid);
}
