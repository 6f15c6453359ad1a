import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { systemReason } from '../../core/lib/system-reason.js';
import {
  type BatchHandler,
  type Handler,
  type HandlerContext,
  StopConsuming,
} from '../../core/member/partition/handler.js';
import { InvalidMessage } from '../../core/member/partition/verdict.js';
import { signalGroup } from '../../local/child.js';
import { toNdjson } from './message-line.js';

/** Exit codes of a shell that cannot run the command: not executable, or not found. */
const CANNOT_RUN = new Set([126, 127]);
/** Exit code for input that a command can never handle: EX_DATAERR of sysexits.h. */
const INVALID_INPUT = 65;
/** Maximum size of the buffered output of one run, in bytes. */
const MAX_OUTPUT_BYTES = 16 * 1_048_576;
/** How long a command may take to end after SIGTERM. */
const KILL_AFTER_MS = 200;

/** Options for running a command for each message. */
export interface ExecOptions {
  /** The command line for `/bin/sh -c`, or for `cmd /c` on Windows. */
  command: string;
  /** Receives the output of a successful run. If the function returns a promise, the next message waits for it. */
  write: (output: Uint8Array) => Promise<void> | undefined;
}

/** Variables that are added to the command's environment. */
function environment(
  context: HandlerContext,
  message: { sequence: number; subject: string },
): Record<string, string> {
  return {
    NATSPOC_PARTITION: String(context.partition),
    NATSPOC_SEQ: String(message.sequence),
    NATSPOC_KEY: context.key ?? '',
    NATSPOC_EPOCH: String(context.epoch),
    NATSPOC_SUBJECT: message.subject,
    NATSPOC_ATTEMPT: String(context.attempt),
  };
}

/**
 * A handler that runs a command for each message. The command gets the payload on its standard input. Exit code 0 means handled. The output
 * of a successful run is passed on as a whole, so that outputs of parallel runs do not mix.
 */
export function execHandler({ command, write }: ExecOptions): Handler {
  const running = killedAtExit();
  return async (message, context) => {
    const env = environment(context, message);
    const output = await run({ command, input: message.data, env, signal: context.signal, running });
    if (output.length > 0) await write(output);
  };
}

/** A handler that runs a command for each batch. The command gets one line of NDJSON for each message on its standard input. */
export function execBatchHandler({ command, write }: ExecOptions): BatchHandler {
  const running = killedAtExit();
  return async (messages, context) => {
    const env = {
      NATSPOC_PARTITION: String(context.partition),
      NATSPOC_EPOCH: String(context.epoch),
      NATSPOC_ATTEMPT: String(context.attempt),
      NATSPOC_MESSAGES: String(messages.length),
    };
    const input = Buffer.from(messages.map((message) => `${toNdjson(message, context)}\n`).join(''));
    const output = await run({ command, input, env, signal: context.signal, running });
    if (output.length > 0) await write(output);
  };
}

/** A set of functions that kill running commands. They are called when the process exits. */
function killedAtExit(): Set<() => void> {
  const running = new Set<() => void>();
  process.once('exit', () => {
    for (const kill of running) kill();
  });
  return running;
}

interface Run {
  command: string;
  input: Uint8Array;
  env: Record<string, string>;
  signal: AbortSignal;
  /** Contains a function that kills the command during the run. */
  running: Set<() => void>;
}

/** Error codes for a shell that cannot be executed. The member stops, because every message would fail. */
const NO_SHELL = new Set(['ENOENT', 'EACCES']);

/** The error for a command that could not be started. */
function startFailure(error: unknown): Error {
  const why = `cannot start the command: ${systemReason(error)}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && NO_SHELL.has(code)
    ? new StopConsuming(why, { cause: error })
    : new Error(why, { cause: error });
}

function start(command: string, env: Record<string, string>): ChildProcess {
  try {
    return spawn(command, {
      shell: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
      // A separate process group: Ctrl-C in a terminal reaches only natspoc, which lets the command finish.
      detached: process.platform !== 'win32',
    });
  } catch (error) {
    // The key is too long for an environment variable, or contains a NUL.
    throw startFailure(error);
  }
}

async function run({ command, input, env, signal, running }: Run): Promise<Buffer> {
  const child = start(command, env);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let tooMuch = false;
    let stopped = false;
    let killTimer: NodeJS.Timeout | undefined;
    // Kills the whole process group, because the shell may have children.
    const killNow = (): void => signalGroup(child, 'SIGKILL');
    running.add(killNow);
    const stop = (): void => {
      stopped = true;
      signalGroup(child, 'SIGTERM');
      killTimer ??= setTimeout(killNow, KILL_AFTER_MS);
    };
    const finish = (end: () => void): void => {
      clearTimeout(killTimer);
      // The shell has ended, but its children may still run.
      if (stopped) killNow();
      running.delete(killNow);
      signal.removeEventListener('abort', stop);
      end();
    };
    // If the child could not be started, it has no streams.
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk);
      else if (!tooMuch) {
        tooMuch = true;
        stop();
      }
    });
    // A command need not read its input.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.once('error', (error) => finish(() => reject(startFailure(error))));
    child.once('close', (code, killedBy) =>
      finish(() => {
        if (signal.aborted) reject(signal.reason);
        else if (tooMuch) reject(new Error(`the command wrote more than ${MAX_OUTPUT_BYTES} bytes`));
        else if (code === 0) resolve(Buffer.concat(chunks));
        else if (code !== null && CANNOT_RUN.has(code)) {
          reject(new StopConsuming(`the command cannot be run (exit code ${code}): ${command}`));
        } else if (code === INVALID_INPUT) reject(new InvalidMessage(describeEnd(code, killedBy)));
        else reject(new Error(describeEnd(code, killedBy)));
      }),
    );
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function describeEnd(code: number | null, killedBy: NodeJS.Signals | null): string {
  if (killedBy) return `the command was ended by ${killedBy}`;
  // If a signal ended the command, the exit code of the shell is 128 plus the number of the signal.
  const number = (code ?? 0) - 128;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return `the command ended with exit code ${code}${name ? ` (${name})` : ''}`;
}
