import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../local/child.js';

/** A consumer that was started, and where its status lines go. */
export interface StartedConsumer {
  pid: number;
  logFile: string;
  /** Resolves with why it has ended, in one line. */
  ended: Promise<string>;
}

/** The folder for logs of consumers that have no terminal: the user's state folder. */
function logFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'natspoc');
}

/** The last thing that a process wrote into its log. */
async function lastLine(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n');
  return lines.at(-1) || 'it said nothing';
}

/**
 * Starts `natspoc consume` as a process of its own that outlives this one. Settings travel in the environment, so
 * that no password shows in the list of processes.
 *
 * @throws NatspocError `failed` where the process cannot be started; what the system throws where the log file
 * cannot be opened.
 */
export function startConsumer(env: NodeJS.ProcessEnv): Promise<StartedConsumer> {
  const folder = logFolder(env);
  mkdirSync(folder, { recursive: true });
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 17);
  const logFile = join(folder, `consume-${stamp}.log`);
  const log = openSync(logFile, 'ax', 0o600);
  const program = [...process.execArgv, process.argv[1] ?? '', 'consume', '--output', 'none'];
  const child = spawn(process.execPath, program, { detached: true, stdio: ['ignore', log, log], env });
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      lastLine(logFile).then((said) => resolve(`${signal ?? `exit code ${code}`}: ${said}`));
    });
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      closeSync(log);
      reject(new NatspocError('failed', `cannot start a process: ${systemReason(error)}`, { cause: error }));
    });
    child.once('spawn', () => {
      closeSync(log);
      child.unref();
      resolve({ pid: child.pid ?? 0, logFile, ended });
    });
  });
}
