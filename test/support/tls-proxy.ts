import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';

/** Terminates TLS in front of a server without TLS. If a client does not begin with a handshake, its connection is closed. */
export class TlsProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free port and forwards to `port`. `cert` and `key` are paths of files. */
  static async start(port: number, files: { cert: string; key: string }): Promise<TlsProxy> {
    const server = createServer({
      cert: readFileSync(files.cert),
      key: readFileSync(files.key),
      handshakeTimeout: 1_000,
    });
    const proxy = new TlsProxy(server);
    server.on('connection', (raw: Socket) => proxy.#sockets.add(raw));
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.on('secureConnection', (client) => {
      const behind = connect(port, '127.0.0.1');
      proxy.#sockets.add(behind);
      client.pipe(behind);
      // A server that uses TLS itself would announce it, so the proxy adds this.
      behind.once('data', (words: Buffer) => {
        client.write(words.toString().replace('INFO {', 'INFO {"tls_required":true,'));
        behind.pipe(client);
      });
      for (const [one, other] of [
        [client, behind],
        [behind, client],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
