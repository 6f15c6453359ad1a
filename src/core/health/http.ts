import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, NatspocError } from '../lib/errors.js';
import { systemReason } from '../lib/system-reason.js';

/** Where to listen. */
export interface HttpAddress {
  /** The port to listen on; 0 for any free port. */
  port: number;
  /** Default: loopback. */
  host?: string | undefined;
}

/** An answer; `type` is its content type, by default plain text. */
export interface HttpAnswer {
  status: number;
  body: string;
  type?: string | undefined;
}

/** An answer in plain text, with one or more lines. */
export const plain = (status: number, lines: string): HttpAnswer => ({ status, body: `${lines}\n` });

/** A small HTTP server that only answers GET and HEAD requests, by path. */
export class HttpServer {
  readonly #server: Server;
  readonly #answer: (path: string) => Promise<HttpAnswer>;

  private constructor(answer: (path: string) => Promise<HttpAnswer>) {
    this.#answer = answer;
    this.#server = createServer((request, response) => void this.#respond(request, response));
  }

  /**
   * Starts listening.
   *
   * @param purpose what the server is for, such as `health checks`; shown in the error.
   * @param answer returns the answer to a request for this path. The path is decoded.
   * @throws NatspocError `config` if the server cannot listen on this address.
   */
  static async open(
    { port, host = '127.0.0.1' }: HttpAddress,
    purpose: string,
    answer: (path: string) => Promise<HttpAnswer>,
  ): Promise<HttpServer> {
    const opened = new HttpServer(answer);
    const server = opened.#server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
    } catch (cause) {
      const message = `Cannot listen on ${host}:${port} for ${purpose}: ${systemReason(cause)}. Choose another port, or 0 for a free one.`;
      throw new NatspocError('config', message, { cause });
    }
    return opened;
  }

  /** The URL of the address on which the server listens. */
  get url(): string {
    const address = this.#server.address() as AddressInfo;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  /** Stops listening, and closes all connections. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {
      status,
      body,
      type = 'text/plain; charset=utf-8',
    } = await this.#answerTo(request).catch((error: unknown) => plain(500, messageOf(error)));
    response.writeHead(status, { 'content-type': type });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answerTo({ method, url = '/' }: IncomingMessage): Promise<HttpAnswer> {
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Only GET and HEAD are allowed.');
    let path: string;
    try {
      path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    } catch {
      return plain(400, 'The path cannot be decoded.');
    }
    return this.#answer(path);
  }
}

/** Answers the paths that every process serves: `/livez`, `/healthz`, `/readyz` and `/metrics`; undefined for any other path. */
export async function commonAnswer(
  path: string,
  problems: () => readonly string[],
  metrics: { readonly contentType: string; text(): Promise<string> },
): Promise<HttpAnswer | undefined> {
  if (path === '/livez' || path === '/healthz') return plain(200, 'ok');
  if (path === '/readyz') {
    const found = problems();
    return found.length === 0 ? plain(200, 'ready') : plain(503, found.join('\n'));
  }
  if (path === '/metrics') return { status: 200, body: await metrics.text(), type: metrics.contentType };
  return undefined;
}
