import { readFileSync } from 'node:fs';

/** True for a zombie: a process that has ended and is not reaped. Always false on systems other than Linux. */
function isZombie(pid: number): boolean {
  try {
    // "pid (name) state ...". The name can contain parentheses, so the state follows the last parenthesis.
    return /^.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** True if a process runs on this machine. A zombie does not count. Zombies remain in a container without an init process. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return !isZombie(pid);
}
