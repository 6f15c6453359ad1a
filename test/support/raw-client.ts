import { connect, type Socket } from 'node:net';
import { until } from './until.js';

/** A message to a subscription. Only the line that announces it is parsed. */
export interface RawMessage {
  subject: string;
  reply: string | undefined;
}

/** Sends data that no other NATS client would send. See {@link openRawClient}. */
export class RawClient {
  readonly #socket: Socket;
  readonly #subscriptions = new Map<string, (message: RawMessage) => void>();
  #sid = 0;
  #pongs = 0;
  #rest = '';

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#read(chunk));
  }

  /** Publishes a message with a header block. `lines` follow its first line, and can contain anything. */
  publish(subject: string, lines: readonly string[], data = '', reply = ''): void {
    const headers = Buffer.from(`${['NATS/1.0', ...lines].join('\r\n')}\r\n\r\n`);
    const payload = Buffer.from(data);
    const sizes = `${headers.length} ${headers.length + payload.length}`;
    this.#socket.write(
      Buffer.concat([
        Buffer.from(`HPUB ${subject} ${reply && `${reply} `}${sizes}\r\n`),
        headers,
        payload,
        Buffer.from('\r\n'),
      ]),
    );
  }

  subscribe(subject: string, receive: (message: RawMessage) => void): void {
    const sid = String(++this.#sid);
    this.#subscriptions.set(sid, receive);
    this.#socket.write(`SUB ${subject} ${sid}\r\n`);
  }

  /** Resolves when the server has received everything that was sent. */
  async flush(): Promise<void> {
    const before = this.#pongs;
    this.#socket.write('PING\r\n');
    await until('the server answers', () => this.#pongs > before);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'PING') this.#socket.write('PONG\r\n');
      else if (line === 'PONG') this.#pongs++;
      else {
        // The line is MSG <subject> <sid> [reply] <size>. With headers, it begins with HMSG and has two sizes. The payloads of these tests
        // do not look like such lines.
        const [kind = '', subject = '', sid = '', ...more] = line.split(' ');
        const sizes = kind === 'MSG' ? 1 : kind === 'HMSG' ? 2 : 0;
        if (sizes === 0) continue;
        const reply = more.length > sizes ? more[0] : undefined;
        this.#subscriptions.get(sid)?.({ subject, reply });
      }
    }
  }
}

/** Connects to a test's server. The password of `user`, if given, is its name. */
export async function openRawClient(port: number, user?: string): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1' });
  const client = new RawClient(socket);
  const identity = user === undefined ? {} : { user, pass: user };
  const options = { verbose: false, pedantic: false, headers: true, no_responders: true, ...identity };
  socket.write(`CONNECT ${JSON.stringify(options)}\r\n`);
  await client.flush();
  return client;
}
