import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseObject } from '../../core/lib/json.js';
import { signalChild } from '../child.js';
import { guard } from '../server/guard.js';
import type { HandledMessage } from './judge.js';

/** The options for starting another natspoc process of this build. */
export interface Launcher {
  /** The script that this process and all started processes run. */
  entry: string;
  /** Working folder of the processes. It contains no `.env` that would configure them. It is removed at the end of the demo. */
  folder: string;
  env: NodeJS.ProcessEnv;
}

/** How a process ended. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A natspoc process. It does not outlive this process. */
export class NatspocProcess {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exited: Promise<ProcessExit>;
  readonly notes: string[] = [];

  constructor(launcher: Launcher, name: string, args: readonly string[], onLine: (line: string) => void) {
    this.name = name;
    this.child = spawn(process.execPath, [...process.execArgv, launcher.entry, ...args], {
      cwd: launcher.folder,
      env: launcher.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A separate process group: Ctrl-C must reach only the demo.
      detached: process.platform !== 'win32',
    });
    const release = guard(this.child, launcher.folder, false);
    const { stdout, stderr } = this.child;
    if (stdout) createInterface({ input: stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
    if (stderr) createInterface({ input: stderr }).on('line', (line) => this.notes.push(line));
    this.exited = new Promise((resolve) => {
      // A process that could not be started emits no 'close'.
      this.child.on('error', () => {
        if (this.child.pid !== undefined) return;
        release();
        resolve({ code: null, signal: null });
      });
      this.child.on('close', (code, signal) => {
        release();
        resolve({ code, signal });
      });
    });
  }

  /** Waits until the process has ended. Returns how it ended and its last line on stderr, such as `with exit code 3: Error: …`. */
  async ending(): Promise<string> {
    const { code, signal } = await this.exited;
    const how = code === null ? `by ${signal ?? 'an error at its start'}` : `with exit code ${code}`;
    const last = this.notes.at(-1);
    return last === undefined ? `${how}.` : `${how}: ${last}`;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    signalChild(this.child, name);
  }
}

/** The message of one NDJSON line of `consume`; undefined for other text, such as a line cut off by a kill. */
export function parseHandled(
  line: string,
  consumer: string,
  index: number,
  at: number,
): HandledMessage | undefined {
  const { partition, sequence, epoch, key, data } = parseObject(line) ?? {};
  if (typeof partition !== 'number' || typeof sequence !== 'number' || typeof epoch !== 'number')
    return undefined;
  if (typeof data !== 'string' || !(key === null || typeof key === 'string')) return undefined;
  return { partition, sequence, epoch, key, data, consumer, index, at };
}
