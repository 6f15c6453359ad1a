import { Match, type MsgHdrs, MsgHdrsImpl } from 'nats';

const VERSION = 'NATS/1.0';
const LINE_END = '\r\n';
const utf8 = new TextDecoder();

/** Received headers. Reading a header by its exact name is one map lookup. */
class ReceivedHeaders extends MsgHdrsImpl {
  override get(name: string, match = Match.Exact): string {
    return match === Match.Exact ? (this.headers.get(name)?.[0] ?? '') : super.get(name, match);
  }
}

/** Decodes any header block. Other clients can send names with spaces and values with a bare CR. Unreadable lines are skipped. */
export function decodeHeaders(bytes: Uint8Array): MsgHdrsImpl {
  const decoded = new ReceivedHeaders();
  const text = utf8.decode(bytes);
  let end = text.indexOf(LINE_END);
  readStatus(decoded, end < 0 ? text : text.slice(0, end));
  while (end >= 0) {
    const start = end + LINE_END.length;
    end = text.indexOf(LINE_END, start);
    const line = end < 0 ? text.slice(start) : text.slice(start, end);
    const colon = line.indexOf(':');
    if (colon > 0) add(decoded.headers, line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return decoded;
}

function add(headers: Map<string, string[]>, name: string, value: string): void {
  const values = headers.get(name);
  if (values) values.push(value);
  else headers.set(name, [value]);
}

/** The first line of a server message contains a code and a description. */
function readStatus(decoded: MsgHdrsImpl, line: string): void {
  if (line === VERSION || !line.startsWith(VERSION)) return;
  const status = line.slice(VERSION.length).trim();
  const code = /^\d{1,9}/.exec(status)?.[0];
  if (code === undefined) return;
  decoded._code = Number(code);
  decoded._description = status.slice(code.length).trim();
}

/**
 * Makes the client decode headers with {@link decodeHeaders}. The client's own decoder throws on names and values that the client would not
 * send. Such an exception stops the client's read loop. The socket stays open, but the client reads no more data.
 */
export function readHeadersTolerantly(): void {
  MsgHdrsImpl.decode = decodeHeaders;
}

/**
 * Headers that are already encoded. The client reads the bytes when it writes a message. The same object can then carry other bytes for the
 * next message.
 */
export class EncodedHeaders extends MsgHdrsImpl {
  bytes: Uint8Array;

  constructor(bytes = new Uint8Array(0)) {
    super();
    this.bytes = bytes;
  }

  override encode(): Uint8Array {
    return this.bytes;
  }
}

/** Encodes headers that are to be sent unchanged, including headers that the client refuses to send. */
export function encodeHeaders(headers: Readonly<Record<string, string>>): EncodedHeaders {
  let text = VERSION + LINE_END;
  for (const [name, value] of Object.entries(headers)) {
    // Received headers contain no line ends, and their names contain no colons. In headers from other sources they are replaced, so that no
    // value becomes an additional header.
    text += `${name.replaceAll(':', ' ').replaceAll(LINE_END, ' ')}: ${value.replaceAll(LINE_END, ' ')}${LINE_END}`;
  }
  return new EncodedHeaders(Buffer.from(text + LINE_END, 'utf8'));
}

/** The headers of a message as plain data: the last value of each name. */
export function plainHeaders(headers: MsgHdrs | undefined): Record<string, string> {
  const pairs: [string, string][] = [];
  for (const [name, values] of headers ?? []) pairs.push([name, values.at(-1) ?? '']);
  // Unlike assignments to an object, `fromEntries` is safe for a name such as `__proto__`.
  return Object.fromEntries(pairs);
}
