import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface CliExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** How a command is started. */
export interface CliOptions {
  /** The environment of the process, in addition to PATH and HOME. */
  env?: Record<string, string>;
  cwd?: string;
  /** A script to run instead of this project's, for example that of an installed package. */
  entry?: string;
  /** With `pipe` the caller writes to `child.stdin`. By default there is no input. */
  stdin?: 'pipe' | 'ignore';
  nodeArgs?: readonly string[];
}

/** The built command line, as a separate process in an empty environment. */
export class Cli {
  readonly child: ChildProcess;
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exited: Promise<CliExit>;

  constructor(args: readonly string[], options: CliOptions = {}) {
    const { PATH = '', HOME = '' } = process.env;
    const script = [...(options.nodeArgs ?? []), options.entry ?? ENTRY];
    this.child = spawn(process.execPath, [...script, ...args], {
      cwd: options.cwd ?? join(tmpdir()),
      env: { PATH, HOME, ...options.env },
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.child;
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.stdout.push(line));
    if (stderr) createInterface({ input: stderr }).on('line', (line) => this.stderr.push(line));
    this.exited = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout.join('\n'), stderr: this.stderr.join('\n') });
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Resolves when the log shows that the member took over this many partitions. */
  async tookOver(partitions: number, timeoutMs = 15_000): Promise<void> {
    const taken = new Set<number>();
    await until(
      `${partitions} partitions are taken over`,
      () => {
        for (const line of this.stderr) for (const each of takenOver(line)) taken.add(each);
        return taken.size >= partitions;
      },
      timeoutMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; stderr was:\n${this.stderr.join('\n')}`);
    });
  }

  /** Resolves with the first matching line of stderr. Earlier lines count, too. */
  async note(pattern: RegExp, timeoutMs = 15_000): Promise<string> {
    let found: string | undefined;
    await until(
      `${pattern} is on stderr`,
      () => {
        found = this.stderr.find((line) => pattern.test(line));
        return found !== undefined;
      },
      timeoutMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; stderr was:\n${this.stderr.join('\n')}`);
    });
    return found ?? '';
  }
}

/** Reads the partitions from a line such as `claimed p0-p3 p7 from b in 2 ms`. */
export function takenOver(line: string): number[] {
  const [, list = ''] = /^(?:claimed|acquired|resumed)((?: p\d+(?:-p\d+)?)+)/.exec(line) ?? [];
  return list.split(' ').flatMap((range) => {
    const [first, last = first] = range.split('-').map((text) => Number(text.slice(1)));
    return first === undefined || range === ''
      ? []
      : Array.from({ length: (last ?? first) - first + 1 }, (_, i) => first + i);
  });
}

const running = new Set<Cli>();

/** Starts a command. If it still runs at the end, {@link stopAll} ends it. */
export function startCli(args: readonly string[], options: CliOptions = {}): Cli {
  const cli = new Cli(args, options);
  // When this process ends, its child processes end, too, except after a SIGKILL.
  if (!process.listeners('exit').includes(killAll)) process.on('exit', killAll);
  running.add(cli);
  void cli.exited.then(() => running.delete(cli));
  return cli;
}

/** Runs a command to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliExit> {
  return startCli(args, options).exited;
}

function killAll(): void {
  for (const cli of running) cli.signal('SIGKILL');
}

/** Kills every command that still runs. Call this in `after` and `afterEach`. */
export async function stopAll(): Promise<void> {
  const left = [...running];
  killAll();
  await Promise.all(left.map((cli) => cli.exited));
}
