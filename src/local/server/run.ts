import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';
import { signalChild } from '../child.js';
import { guard } from './guard.js';
import { readLog, type ServerLog } from './log.js';
import { type Ports, readInfo, readPorts, type ServerInfo } from './probe.js';
import { holdStore, type StoreLock } from './store.js';

/** Options of a server. */
export interface ServerOptions {
  /** Path of the `nats-server` program. */
  binary: string;
  /** Address to listen on. Default 127.0.0.1. */
  host?: string;
  /** Client port. Default 0: the server picks a free port. */
  port?: number;
  /** Port of HTTP monitoring; 0: any free port. Default: no monitoring. */
  monitorPort?: number;
  /** Whether the server has JetStream. Default true. */
  jetstream?: boolean;
  /** Folder for the streams. It is kept. Default: a temporary folder that is removed when the server ends. */
  storeDir?: string;
  /** More configuration, in nats-server's syntax. The options above take precedence. */
  config?: string;
  /** Called with every line of the server's log. */
  onLog?: (line: string) => void;
  /** Timeout of the start, in milliseconds. Default 60,000, because the server first checks its store. */
  startTimeoutMs?: number;
}

/** How a server ended. */
export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The error in the server's log, or null. */
  reason: string | null;
}

/** A running server. */
export interface RunningServer {
  /** The URL for clients: `nats://host:port`. */
  readonly url: string;
  readonly port: number;
  /** `http://host:port`, or null without monitoring. */
  readonly monitorUrl: string | null;
  readonly version: string;
  readonly pid: number;
  readonly storeDir: string;
  /** Resolves when the server has ended and its temporary files are removed. Never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Stops the server, by force after 5 s, and waits for {@link exited}. Repeated calls are allowed. */
  stop(): Promise<void>;
  /** Kills the server with SIGKILL, as in a crash. Waits for {@link exited}. */
  kill(): Promise<void>;
}

const STOP_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 60_000;
const LOOK_AGAIN_MS = 10;

/** A started server process, its log and its end. */
interface Launched {
  child: ChildProcess;
  log: ServerLog;
  exited: Promise<ServerExit>;
}

/** For nats-server, 0 means its default port, and -1 any free port. */
function portArgument(port: number): string {
  return String(port === 0 ? -1 : port);
}

function argumentsFor(options: ServerOptions, runDir: string, storeDir: string): string[] {
  const args = ['--addr', options.host ?? '127.0.0.1', '--port', portArgument(options.port ?? 0)];
  args.push('--ports_file_dir', runDir);
  if (options.monitorPort !== undefined) args.push('--http_port', portArgument(options.monitorPort));
  if (options.jetstream !== false) args.push('--jetstream', '--store_dir', storeDir);
  if (options.config !== undefined) {
    const file = path.join(runDir, 'server.conf');
    writeFileSync(file, options.config);
    args.push('--config', file);
  }
  return args;
}

function launch(options: ServerOptions, runDir: string, storeDir: string, lock: StoreLock | null): Launched {
  const child: ChildProcess = spawn(options.binary, argumentsFor(options, runDir, storeDir), {
    // A separate process group: Ctrl-C in a terminal does not reach the server. The program may need it to finish its own work.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
  if (child.pid !== undefined) lock?.handTo(child.pid);
  const log = readLog(child.stderr, options.onLog);
  const unguard = guard(child, runDir, options.storeDir !== undefined);
  const ended = new Promise<ServerExit>((resolve) => {
    let failure: string | null = null;
    child.on('error', (error) => {
      failure = systemReason(error);
      // A program that could not be started emits no 'close'.
      if (child.pid === undefined) resolve({ code: null, signal: null, reason: failure });
    });
    // At 'close', unlike at 'exit', the last line of the log has arrived.
    child.on('close', (code, signal) => resolve({ code, signal, reason: failure ?? log.reason() }));
  });
  const exited = ended.then(async (exit) => {
    unguard();
    lock?.release();
    await rm(runDir, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
    return exit;
  });
  return { child, log, exited };
}

function startFailure(options: ServerOptions, reason: string | null): NatspocError {
  const inUse = /(\S+):(\d+)\b.*address already in use/.exec(reason ?? '');
  if (inUse !== null) {
    return new NatspocError(
      'failed',
      `Port ${inUse[2]} is already in use: choose another port, or 0 for a free one.`,
    );
  }
  return new NatspocError(
    'failed',
    `${options.binary} did not start: ${reason ?? 'its log gives no reason'}`,
  );
}

/** The address at which clients on this machine reach a server that listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

async function untilReady(
  options: ServerOptions,
  launched: Launched,
  runDir: string,
): Promise<{ ports: Ports; info: ServerInfo }> {
  const ended: ServerExit[] = [];
  void launched.exited.then((exit) => ended.push(exit));
  const timeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (ended[0] !== undefined) throw startFailure(options, ended[0].reason);
    const ports = readPorts(runDir);
    const info = ports === null ? null : await readInfo(reachable(options.host ?? '127.0.0.1'), ports.client);
    if (ports !== null && info !== null && (info.jetstream || options.jetstream === false))
      return { ports, info };
    if (performance.now() > deadline) {
      signalChild(launched.child, 'SIGKILL');
      await launched.exited;
      throw startFailure(options, launched.log.reason() ?? `it did not answer within ${timeoutMs} ms`);
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

async function stopChild(launched: Launched): Promise<void> {
  // nats-server exits with 0 on SIGINT. Some versions exit with 1 on SIGTERM.
  signalChild(launched.child, 'SIGINT');
  // A suspended server would not handle the signal.
  if (process.platform !== 'win32') signalChild(launched.child, 'SIGCONT');
  const force = setTimeout(() => signalChild(launched.child, 'SIGKILL'), STOP_TIMEOUT_MS);
  await launched.exited;
  clearTimeout(force);
}

/**
 * Starts a server and resolves when it and its JetStream are ready. The server does not outlive this process: see {@link guard}.
 *
 * @throws NatspocError `failed` with one line if the program cannot be started or ends immediately. For example, the port or the store
 *   folder is in use. Then no process and no file remains.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const lock =
    options.storeDir === undefined || options.jetstream === false ? null : holdStore(options.storeDir);
  const runDir = mkdtempSync(path.join(tmpdir(), 'natspoc-server-'));
  const storeDir = options.storeDir ?? path.join(runDir, 'store');
  const launched = launch(options, runDir, storeDir, lock);
  const { ports, info } = await untilReady(options, launched, runDir);
  const host = reachable(options.host ?? '127.0.0.1');
  const authority = host.includes(':') ? `[${host}]` : host;
  return {
    url: `nats://${authority}:${ports.client}`,
    port: ports.client,
    monitorUrl: ports.monitor === null ? null : `http://${authority}:${ports.monitor}`,
    version: info.version,
    pid: launched.child.pid ?? 0,
    storeDir,
    exited: launched.exited,
    stop: () => stopChild(launched),
    kill: async () => {
      signalChild(launched.child, 'SIGKILL');
      await launched.exited;
    },
  };
}
