import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, NatspocError } from '../lib/errors.js';
import type { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import type { HealthSubject } from './subject.js';

/** Where to listen. */
export interface HealthOptions {
  /** 0: any free port. */
  port: number;
  /** Default: loopback. */
  host?: string | undefined;
}

/**
 * Health over HTTP: `/healthz` (the process answers), `/readyz` (the member can do its work; otherwise 503 and the
 * reasons), `/metrics` (for Prometheus).
 */
export class HealthServer {
  readonly #server: Server;
  readonly #metrics: Metrics;
  readonly #readiness: Readiness;

  private constructor(member: HealthSubject, metrics: Metrics) {
    this.#metrics = metrics;
    this.#readiness = new Readiness(member);
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => send(response, 500, messageOf(error)));
    });
  }

  /**
   * Starts listening.
   *
   * @throws NatspocError `config` if it cannot listen on this address.
   */
  static async open(
    member: HealthSubject,
    metrics: Metrics,
    { port, host = '127.0.0.1' }: HealthOptions,
  ): Promise<HealthServer> {
    const health = new HealthServer(member, metrics);
    const server = health.#server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
    } catch (cause) {
      const message = `Cannot listen on ${host}:${port} for health checks: ${messageOf(cause)}.`;
      throw new NatspocError('config', message, { cause });
    }
    return health;
  }

  /** The address that it listens on. */
  get url(): string {
    const address = this.#server.address() as AddressInfo;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  /** Stops listening. */
  async close(): Promise<void> {
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
    } else send(response, 404, 'Try /healthz, /readyz or /metrics.');
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
