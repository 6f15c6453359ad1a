import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { messageOf } from '../../core/lib/errors.js';
import { isProcessId } from '../../local/child.js';
import type { Target } from '../screen/state.js';

/** The start time and command line of a process, as the system reports them. */
interface ProcessFacts {
  startedAtMs: number;
  command: string;
}

/** A member starts at most this long after its process, in milliseconds. */
const START_UP_MS = 60_000;
/** Resolution of the system's process start times, in milliseconds. */
const GRAIN_MS = 2_000;

/** For Linux, where `ps` is perhaps not installed. */
async function fromProc(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const [stat, command, system] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile('/proc/stat', 'utf8'),
    ]);
    // The name in parentheses can contain anything, so fields are counted after it. Field 22 is the start time in ticks.
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const bootSeconds = Number(/^btime (\d+)$/m.exec(system)?.[1]);
    const startedAtMs = (bootSeconds + ticks / 100) * 1_000;
    return Number.isFinite(startedAtMs)
      ? { startedAtMs, command: command.replaceAll('\0', ' ').trim() }
      : undefined;
  } catch {
    return undefined;
  }
}

async function fromPs(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=,command=', '-p', `${pid}`], {
      env: { ...process.env, LC_ALL: 'C' },
    });
    // The line is `Mon Nov 23 10:29:26 2026 command …`. The time has 24 columns.
    const startedAtMs = Date.parse(stdout.slice(0, 24));
    return Number.isNaN(startedAtMs) ? undefined : { startedAtMs, command: stdout.slice(24).trim() };
  } catch {
    return undefined;
  }
}

/**
 * Why the pid might belong to another process than this member; undefined if it is certainly this member's. If the pid was reused, the
 * start time or the command line differs.
 */
async function whyNotSignal(target: Target): Promise<string | undefined> {
  const { pid, startedAt } = target;
  // The pid in a record is not trusted. For example, a signal to pid 0 would reach this screen's process group.
  if (!isProcessId(pid)) return `${pid} is not a valid process id`;
  if (pid === process.pid) return `pid ${pid} is this screen's own process`;
  const facts = (await fromProc(pid)) ?? (await fromPs(pid));
  if (!facts) return `process ${pid} no longer exists`;
  const age = Date.parse(startedAt) - facts.startedAtMs;
  if (!(age > -GRAIN_MS && age < START_UP_MS))
    return `pid ${pid} belongs to a process that started at another time`;
  return /\b(node|natspoc|bun|tsx)\b/.test(facts.command)
    ? undefined
    : `pid ${pid} belongs to another program: ${facts.command.slice(0, 60)}`;
}

/**
 * Sends a signal to a member's process on this machine, if the pid is certainly that process.
 *
 * @returns the reason if the signal was not sent, otherwise undefined.
 */
export async function signalMember(
  target: Target,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<string | undefined> {
  const refusal = await whyNotSignal(target);
  if (refusal !== undefined) return refusal;
  try {
    process.kill(target.pid, signal);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
