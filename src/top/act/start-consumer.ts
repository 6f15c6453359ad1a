import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';

/** A member process that was started, and the file with its status lines. */
export interface StartedConsumer {
  pid: number;
  logFile: string;
  /** Resolves when the process has ended, with the reason in one line. */
  ended: Promise<string>;
}

function logFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'natspoc');
}

async function lastLine(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n');
  return lines.at(-1) || 'its log is empty';
}

/**
 * Starts `natspoc consume` as a process that outlives this process. It has no handler: it marks messages as handled without processing
 * them. Settings are passed in the environment, because arguments appear in the list of processes.
 *
 * @throws NatspocError `failed` if the process cannot be started; the system's error if the log file cannot be opened.
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
