import { readFileSync } from 'node:fs';

/** True for a zombie: a process that has ended, but that its parent has not reaped. Always false on systems other than Linux. */
function isZombie(pid: number): boolean {
  try {
    // "pid (name) state ...": the name may contain parentheses, so the state follows the last parenthesis.
    return /^.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * True if a process runs on this machine. A zombie does not count as running: in a container whose first process is not an
 * init, zombies remain.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process belongs to another user, so it exists.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return !isZombie(pid);
}
