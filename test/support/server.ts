import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NatspocError } from '../../src/core/lib/errors.js';
import {
  ensureServerBinary,
  type RunningServer,
  type ServerOptions,
  startServer,
} from '../../src/local/server/index.js';
import { until } from './until.js';

/** A copy of a server's store, or of a part of it. */
export interface StoreCopy {
  folder: string;
  part: string;
}

/** The options that a test can give. The class itself sets the program, a free port and a temporary store. */
export type TestServerOptions = Omit<ServerOptions, 'binary' | 'port' | 'storeDir'>;

/** A restarted server waits at most this long for its port. A reconnecting client can hold the port for a moment. */
const PORT_TIMEOUT_MS = 10_000;
/** Long enough to fetch a server on a machine without one. */
const FETCH_TIMEOUT_MS = 180_000;

/** True if every thread of a process is stopped. Without `/proc`, always true. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true;
  return readdirSync(tasks).every((task) => / T \d+ /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8')));
}

/** Found or fetched once for all test files of a run. */
let binary: Promise<string> | undefined;

/** The path of the `nats-server` that the tests use. */
export function testServerBinary(): Promise<string> {
  binary ??= ensureServerBinary({ env: process.env });
  return binary;
}

/**
 * A real nats-server on a free port, with its store in a temporary folder. Port and store survive {@link kill} and {@link restart}.
 * {@link stop} removes everything.
 */
export class TestServer {
  #options: TestServerOptions;
  #running: RunningServer | undefined;
  #storeDir: string | undefined;
  #port = 0;

  constructor(options: TestServerOptions = {}) {
    this.#options = options;
  }

  /** The server's handle. Throws while the server is not running. */
  get running(): RunningServer {
    if (this.#running === undefined) throw new Error('the test server is not running');
    return this.#running;
  }

  /** The URL for clients. It stays the same for the life of this object. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get port(): number {
    if (this.#port === 0) throw new Error('the test server was never started');
    return this.#port;
  }

  get pid(): number {
    return this.running.pid;
  }

  /** The folder of the streams. Exists once the server was started. */
  get storeDir(): string {
    if (this.#storeDir === undefined) throw new Error('the test server was never started');
    return this.#storeDir;
  }

  configure(config: string): void {
    this.#options = { ...this.#options, config };
  }

  get version(): string {
    return this.running.version;
  }

  get monitorUrl(): string | null {
    return this.running.monitorUrl;
  }

  /** Starts the server. Later starts use the port and store of the first one. */
  async start(): Promise<void> {
    this.#storeDir ??= mkdtempSync(path.join(tmpdir(), 'natspoc-test-'));
    const deadline = performance.now() + PORT_TIMEOUT_MS;
    for (;;) {
      try {
        this.#running = await startServer({
          ...this.#options,
          binary: await testServerBinary(),
          port: this.#port,
          storeDir: this.#storeDir,
        });
        this.#port = this.#running.port;
        return;
      } catch (error) {
        const portTaken = error instanceof NatspocError && error.message.includes('already in use');
        if (!portTaken || this.#port === 0 || performance.now() > deadline) throw error;
        await sleep(50);
      }
    }
  }

  /** Kills the server with SIGKILL. Its store stays. */
  async kill(): Promise<void> {
    const running = this.running;
    this.#running = undefined;
    await running.kill();
  }

  /** Stops the server cleanly, unless it was killed. Starts it on the same port and store. */
  async restart(): Promise<void> {
    await this.#halt();
    await this.start();
  }

  /**
   * Stops the server cleanly, copies its store, and starts it again. With `stream`, only that stream is copied.
   *
   * @returns the copy for {@link putBack}.
   */
  async copyStore(stream?: string): Promise<StoreCopy> {
    await this.#halt();
    const part = stream === undefined ? '.' : path.join('jetstream', '$G', 'streams', stream);
    const folder = mkdtempSync(path.join(tmpdir(), 'natspoc-test-'));
    await cp(path.join(this.#storeDir ?? '', part), folder, { recursive: true });
    await this.start();
    return { folder, part };
  }

  /** Stops the server cleanly, and starts it with a copy in place of its store. A copy can be used once. */
  async putBack({ folder, part }: StoreCopy): Promise<void> {
    await this.#halt();
    const place = path.join(this.#storeDir ?? '', part);
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
    await cp(folder, place, { recursive: true });
    await rm(folder, { recursive: true });
    await this.start();
  }

  async #halt(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  /** Suspends the server with SIGSTOP. Until {@link resume}, connections stay open, and no request is answered. */
  async suspend(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    await until('the server is stopped', () => isStopped(this.pid));
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Stops the server and removes its store. Can be called repeatedly, even if the server was never started. */
  async stop(): Promise<void> {
    await this.#halt();
    if (this.#storeDir !== undefined)
      await rm(this.#storeDir, { recursive: true, force: true, maxRetries: 5 });
    this.#storeDir = undefined;
  }
}

/** Starts a server for one test. The caller stops it. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const server = new TestServer(options);
  await server.start();
  return server;
}

/** Runs a server while the tests of a suite run. Call this inside `describe`. */
export function withServer(options: TestServerOptions = {}): TestServer {
  const server = new TestServer(options);
  before(async function () {
    this.timeout(FETCH_TIMEOUT_MS);
    await server.start();
  });
  after(() => server.stop());
  return server;
}
