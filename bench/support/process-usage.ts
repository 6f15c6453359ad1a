import { readFileSync } from 'node:fs';

/** Linux counts processor time in ticks of this length. */
const TICK_MS = 10;

/** The resources that a process has used. */
export interface Usage {
  /** Processor time since the start of the process, in milliseconds. */
  cpuMs: number;
  residentBytes: number;
}

/**
 * The resources that a process has used; Linux only.
 *
 * @throws the system's error if there is no such process.
 */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Count fields from the closing parenthesis, because the name before it may contain spaces. Fields 14 and 15 are user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    residentBytes: Number(resident) * 1_024,
  };
}
