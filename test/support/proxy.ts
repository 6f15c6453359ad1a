import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of a server. Like a broken network, it can swallow bytes in both directions. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #silent = false;
  #silentAt: string | undefined;
  #cutAt: string | undefined;
  #hungUpAt: string | undefined;
  #swallowed: RegExp | undefined;
  #delayMs = 0;
  /** Data from servers that the proxy holds. Undefined if it passes data on. */
  #held: { to: Socket; chunk: Buffer }[] | undefined;
  #rewritten: { pattern: RegExp; text: string } | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (client) => proxy.#join(client, connect(port, '127.0.0.1')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `nats://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  /** From now on, delays all data from the server by this time, as a longer round trip does. The data stays in order. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Holds all data from the server until {@link pass}. That is like a client whose process is stopped. Data from clients passes. */
  hold(): void {
    this.#held ??= [];
  }

  /** Passes on the held data at once. Later data passes, too. */
  pass(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const to of new Set(held.map((each) => each.to)))
      to.write(Buffer.concat(held.filter((each) => each.to === to).map(({ chunk }) => chunk)));
  }

  /** From now on, silently drops all data. Connections stay open, and new ones are accepted. */
  silence(): void {
    this.#silent = true;
  }

  /** Becomes silent at the first chunk of a client that contains this text. This chunk does not pass either. */
  silenceAt(text: string): void {
    this.#silentAt = text;
  }

  /**
   * Behaves like a server that dies. At the first chunk with this text, the connections and the port are closed. A chunk from a client is
   * lost. A chunk from the server still arrives.
   */
  cutAt(text: string): void {
    this.#cutAt = text;
  }

  /** Behaves like a server that is killed and restarted. The next connection whose client sends this text is closed. */
  hangUpAt(text: string): void {
    this.#hungUpAt = text;
  }

  /** Drops the next message from the server whose protocol line matches. All other data arrives. */
  swallow(line: RegExp): void {
    this.#swallowed = line;
  }

  /** True while a client is connected. */
  get isUsed(): boolean {
    return this.#sockets.size > 0;
  }

  /** True until {@link swallow} has found its message. */
  get isHungry(): boolean {
    return this.#swallowed !== undefined;
  }

  /** Replaces this text in the server's information, for clients that connect from now on. */
  rewrite(pattern: RegExp, text: string): void {
    this.#rewritten = { pattern, text };
  }

  /** Closes silenced connections. New connections pass data. */
  heal(): void {
    this.#silent = false;
    this.#silentAt = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #introduction(chunk: Buffer): Buffer {
    if (!this.#rewritten || !chunk.subarray(0, 5).equals(Buffer.from('INFO '))) return chunk;
    return Buffer.from(chunk.toString('utf8').replace(this.#rewritten.pattern, this.#rewritten.text));
  }

  /** Cuts the message out if one chunk contains it completely. */
  #bite(chunk: Buffer): Buffer {
    if (!this.#swallowed) return chunk;
    // A line of the wire protocol: MSG or HMSG, subject, subscription, reply, sizes. The last size is the total.
    for (const { 0: line, 1: size, index } of chunk
      .toString('latin1')
      .matchAll(/H?MSG [^\r\n]* (\d+)\r\n/g)) {
      const end = index + line.length + Number(size) + 2;
      if (!this.#swallowed.test(line.trimEnd()) || end > chunk.length) continue;
      this.#swallowed = undefined;
      return Buffer.concat([chunk.subarray(0, index), chunk.subarray(end)]);
    }
    return chunk;
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => {
        if (this.#cutAt !== undefined && chunk.includes(this.#cutAt)) {
          this.#server.close();
          if (from === client) client.destroy();
          else client.end(chunk);
          return;
        }
        if (from === client && this.#hungUpAt !== undefined && chunk.includes(this.#hungUpAt)) {
          this.#hungUpAt = undefined;
          client.destroy();
          return;
        }
        if (from === client && this.#silentAt !== undefined && chunk.includes(this.#silentAt)) this.silence();
        if (this.#silent) return;
        const passed = from === server ? this.#bite(this.#introduction(chunk)) : chunk;
        if (from === server && this.#held) this.#held.push({ to, chunk: passed });
        else if (from === client || this.#delayMs === 0) to.write(passed);
        else setTimeout(() => to.write(passed), this.#delayMs);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
