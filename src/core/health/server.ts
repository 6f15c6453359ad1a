import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../lib/clock.js';
import { messageOf, NatspocError } from '../lib/errors.js';
import type { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import type { HealthSubject } from './subject.js';

const LOOK_EVERY_MS = 5_000;

/** Where to listen. */
export interface HealthOptions {
  /** 0: a free one. */
  port: number;
  /** By default this machine only. */
  host?: string | undefined;
}

/**
 * What orchestrators ask over HTTP: `/healthz` (the process answers), `/readyz` (in the group, nothing stuck;
 * else 503 and the reasons), `/metrics` (Prometheus).
 */
export class HealthServer {
  readonly #server: Server;
  readonly #metrics: Metrics;
  readonly #readiness: Readiness;
  readonly #cancelLook: () => void;

  private constructor(member: HealthSubject, metrics: Metrics, clock: Clock) {
    this.#metrics = metrics;
    this.#readiness = new Readiness(member, clock);
    const timer = setInterval(() => this.#readiness.look(), LOOK_EVERY_MS);
    timer.unref();
    this.#cancelLook = () => clearInterval(timer);
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => send(response, 500, messageOf(error)));
    });
  }

  /**
   * Starts to listen.
   *
   * @throws NatspocError `config` where the address cannot be listened on.
   */
  static async open(
    member: HealthSubject,
    metrics: Metrics,
    { port, host = '127.0.0.1' }: HealthOptions,
    clock: Clock = systemClock,
  ): Promise<HealthServer> {
    const health = new HealthServer(member, metrics, clock);
    const server = health.#server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
    } catch (cause) {
      health.#cancelLook();
      const message = `Cannot listen on ${host}:${port} for health checks: ${messageOf(cause)}.`;
      throw new NatspocError('config', message, { cause });
    }
    return health;
  }

  /** Where it listens. */
  get url(): string {
    const address = this.#server.address() as AddressInfo;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#cancelLook();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method !== 'GET' && request.method !== 'HEAD') send(response, 405, 'Only GET.');
    else if (pathname === '/healthz') send(response, 200, 'ok');
    else if (pathname === '/readyz') {
      const problems = this.#readiness.problems();
      if (problems.length === 0) send(response, 200, 'ready');
      else send(response, 503, problems.join('\n'));
    } else if (pathname === '/metrics') {
      response.setHeader('content-type', this.#metrics.contentType);
      response.end(await this.#metrics.text());
    } else send(response, 404, 'There are /healthz, /readyz and /metrics.');
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
