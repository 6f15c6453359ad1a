import { createReadStream, fstatSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { EnvelopeMaker, newIdPrefix, tooLarge } from '../../core/publisher/envelope.js';
import { LineSource } from './line-source.js';
import { type Addressing, addresser, generatedSource, type MessageSource } from './source.js';
import { compileTemplate } from './template.js';

/** What somebody asked to publish, as given; at most one of `data`, `file`, `sizeBytes`. */
export interface InputRequest extends Addressing {
  /** A template; `-` is standard input. */
  data?: string | undefined;
  /** A file of lines. */
  file?: string | undefined;
  sizeBytes?: number | undefined;
  /** Path of the key in lines of JSON. */
  keyField?: string | undefined;
  skipBadLines: boolean;
  /** Messages get ids of their own, see PublisherOptions. */
  dedupe: boolean;
}

/** Standard input, as far as it matters here. */
export interface InputStream {
  stream: Readable;
  fd: number;
}

/** Which input was chosen. Lines end by themselves, the others never do. */
export interface ChosenInput {
  source: MessageSource;
  kind: 'lines' | 'data' | 'generated';
  /** What a message takes, headers and payload, by the example of one; 0: lines, each of another length. */
  messageBytes: number;
}

/** What is sent when nobody says what. */
const DEFAULT_TEMPLATE = 'event {{Count}}';
/** How long input has to show itself when DATA says that there should be none. */
const PEEK_MS = 50;

const usage = (message: string) => new NatspocError('usage', message);

/** True for a pipe or a redirected file: not a terminal, and not /dev/null. */
function isPiped(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false;
  }
}

function checkRequest(request: InputRequest): void {
  const { data, file, sizeBytes, key, keys, keySkew, keyField, partition } = request;
  const payloads = [
    data !== undefined && 'DATA',
    file !== undefined && '--file',
    sizeBytes !== undefined && '--size',
  ];
  const [first, second] = payloads.filter((name) => name !== false);
  if (first && second) throw usage(`${first} and ${second} exclude each other: each says what to send.`);
  const keySources = [
    key !== undefined && '--key',
    keys !== undefined && '--keys',
    keyField !== undefined && '--key-field',
  ];
  const [one, other] = keySources.filter((name) => name !== false);
  if (one && other) throw usage(`${one} and ${other} exclude each other: each chooses the keys.`);
  if (keySkew !== undefined && keys === undefined)
    throw usage('--key-skew needs --keys: it says how unevenly they are chosen.');
  if (partition !== undefined && one)
    throw usage(`--partition and ${one} exclude each other: a key decides the partition.`);
  // As the first message has them: what no header can carry. Generated keys can always be sent.
  const { key: firstKey, headers, id } = addresser({ ...request, keys: undefined, keySkew: undefined })(1);
  new EnvelopeMaker(1).make({ data: '', key: firstKey, headers, id }, id);
}

function openFile(path: string): Readable {
  try {
    const fd = openSync(path, 'r');
    if (fstatSync(fd).isDirectory()) throw new Error('it is a folder');
    return createReadStream(path, { fd, highWaterMark: 256 * 1024 });
  } catch (cause) {
    throw usage(`--file: cannot read ${path}: ${messageOf(cause)}.`);
  }
}

/**
 * Chooses where messages come from: a file, DATA, generated payloads, or the lines of standard input when it is
 * a pipe and nothing else was asked for.
 *
 * @throws NatspocError `usage` for requests that contradict themselves, bad templates, keys, ids and headers that cannot
 *   be sent, and unreadable files.
 */
export function chooseInput(request: InputRequest, stdin: InputStream): ChosenInput {
  checkRequest(request);
  const { data, file, sizeBytes, keyField } = request;
  const lines = (input: () => Readable, name: string): ChosenInput => {
    const onBadLine = request.skipBadLines ? 'skip' : 'stop';
    const source = new LineSource(input(), { ...request, keyField, onBadLine, name });
    return { kind: 'lines', source, messageBytes: 0 };
  };
  if (file !== undefined) return lines(() => openFile(file), file);
  const asked = data !== undefined || sizeBytes !== undefined || request.keys !== undefined;
  if (data === '-' || (isPiped(stdin.fd) && (!asked || keyField !== undefined))) {
    if (asked && data !== '-')
      throw usage('--key-field takes keys from lines of input: leave out DATA, --size and --keys.');
    return lines(() => stdin.stream, 'stdin');
  }
  if (keyField !== undefined)
    throw usage('--key-field takes keys from lines of input: pipe some, or use --file.');
  const payload = sizeBytes === undefined ? { template: data ?? DEFAULT_TEMPLATE } : { sizeBytes };
  return {
    kind: data === undefined ? 'generated' : 'data',
    source: generatedSource(payload, request),
    messageBytes: exampleBytes(request),
  };
}

/** Where a template has random text, other messages are larger or smaller. */
function exampleBytes(request: InputRequest): number {
  const { data = DEFAULT_TEMPLATE, sizeBytes, keys, dedupe } = request;
  const key = keys === undefined ? request.key : `key-${keys - 1}`;
  const addressOf = addresser({ ...request, key, keys: undefined, keySkew: undefined, partition: undefined });
  const address = addressOf(1);
  const id = address.id ?? (dedupe ? `${newIdPrefix()}0` : undefined);
  const { headers } = new EnvelopeMaker(1).make({ ...address, data: '' }, id);
  return (sizeBytes ?? Buffer.byteLength(compileTemplate(data)(1))) + (headers?.length ?? 0);
}

/**
 * Makes sure that the server takes messages of this size: before anything is created or sent. A line that is too long
 * is found when its turn comes.
 *
 * @param maxPayload what the server takes in one message, bytes.
 * @throws NatspocError `usage`.
 */
export function checkMessageSize({ messageBytes }: ChosenInput, maxPayload: number): void {
  if (messageBytes > maxPayload) throw usage(tooLarge(messageBytes, maxPayload));
}

/**
 * Makes sure that nobody pipes lines into a command that was told to send something else. An open pipe without
 * anything in it, as services and scripts have it, is fine; looking takes at most a moment.
 *
 * @throws NatspocError `usage` when there is input.
 */
export async function refuseUnusedInput(stdin: InputStream): Promise<void> {
  if (!isPiped(stdin.fd)) return;
  const { stream } = stdin;
  const found = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), PEEK_MS);
    const answer = (hasInput: boolean) => {
      clearTimeout(timer);
      resolve(hasInput);
    };
    stream.once('readable', () => answer(stream.read() !== null));
    stream.once('end', () => answer(false));
    stream.once('error', () => answer(false));
  });
  stream.removeAllListeners('readable');
  stream.destroy();
  if (found)
    throw usage(
      'There is input on a pipe as well as something else to send. Give one of them; DATA "-" is the pipe.',
    );
}
