import { createReadStream, fstatSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';
import { EnvelopeMaker, newIdPrefix, tooLarge } from '../../core/publisher/envelope.js';
import { LineSource } from './line-source.js';
import { type Addressing, addresser, generatedSource, type MessageSource } from './source.js';
import { compileTemplate } from './template.js';

/** The user's request, with at most one of `data`, `file`, `sizeBytes`. */
export interface InputRequest extends Addressing {
  /** A template; `-` is standard input. */
  data?: string | undefined;
  /** A file of lines. */
  file?: string | undefined;
  sizeBytes?: number | undefined;
  /** The path of the key in each line, which must be JSON. */
  keyField?: string | undefined;
  skipBadLines: boolean;
  /** True: messages get generated ids, see PublisherOptions. */
  dedupe: boolean;
}

/** Standard input. */
export interface InputStream {
  stream: Readable;
  fd: number;
}

/** The chosen input. Only an input of lines ends. */
export interface ChosenInput {
  source: MessageSource;
  kind: 'lines' | 'data' | 'generated';
  /** Size of an example message, headers and payload, in bytes; 0 for lines. */
  messageBytes: number;
}

/** The default payload. */
const DEFAULT_TEMPLATE = 'event {{Count}}';
/** How long to wait for unexpected input on a pipe. */
const PEEK_MS = 50;

const usage = (message: string) => new NatspocError('usage', message);

/** True for a pipe, a socket or a redirected file; false for a terminal and for /dev/null. */
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
  if (first && second) throw usage(`${first} and ${second} exclude each other: use only one of them.`);
  const keySources = [
    key !== undefined && '--key',
    keys !== undefined && '--keys',
    keyField !== undefined && '--key-field',
  ];
  const [one, other] = keySources.filter((name) => name !== false);
  if (one && other) throw usage(`${one} and ${other} exclude each other: use only one of them.`);
  if (keySkew !== undefined && keys === undefined) throw usage('--key-skew needs --keys.');
  if (partition !== undefined && one)
    throw usage(`--partition and ${one} exclude each other: a key decides the partition.`);
  // Make the first message, to refuse keys, ids and headers that cannot be sent. Generated keys are always valid.
  const { key: firstKey, headers, id } = addresser({ ...request, keys: undefined, keySkew: undefined })(1);
  new EnvelopeMaker(1).make({ data: '', key: firstKey, headers, id }, id);
}

function openFile(path: string): Readable {
  try {
    const fd = openSync(path, 'r');
    if (fstatSync(fd).isDirectory()) throw new Error('it is a folder');
    return createReadStream(path, { fd, highWaterMark: 256 * 1024 });
  } catch (cause) {
    throw usage(`--file: cannot read ${path}: ${systemReason(cause)}.`);
  }
}

/**
 * Chooses the source of messages: a file, DATA, generated payloads, or the lines of standard input if it is
 * a pipe and no other input was requested.
 *
 * @throws NatspocError `usage` if the request is contradictory, if a template is bad, if a key, id or header cannot be sent, or if a file
 *   cannot be read.
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
    throw usage('--key-field takes keys from lines of input: pipe lines to the command, or use --file.');
  const payload = sizeBytes === undefined ? { template: data ?? DEFAULT_TEMPLATE } : { sizeBytes };
  return {
    kind: data === undefined ? 'generated' : 'data',
    source: generatedSource(payload, request),
    messageBytes: exampleBytes(request),
  };
}

/** The size of the first message; with random text in a template, sizes vary. */
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
 * Checks that the server accepts messages of this size, before anything is created. Lines of input are checked when they are sent.
 *
 * @param maxPayload the largest message that the server accepts, in bytes.
 * @throws NatspocError `usage`.
 */
export function checkMessageSize({ messageBytes }: ChosenInput, maxPayload: number): void {
  if (messageBytes > maxPayload) throw usage(tooLarge(messageBytes, maxPayload));
}

/**
 * Refuses piped input if the user asked for other messages. Services and scripts often have an empty open pipe. It is accepted after a
 * short wait.
 *
 * @throws NatspocError `usage` if the pipe has input.
 */
export async function refuseUnusedInput(stdin: InputStream): Promise<void> {
  if (!isPiped(stdin.fd)) return;
  const { stream } = stdin;
  const found = await new Promise<boolean>((resolve) => {
    // A busy Node runs due timers before it reads the pipe. `setImmediate` lets it read the pipe first.
    const timer = setTimeout(() => setImmediate(() => resolve(false)), PEEK_MS);
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
      'There is input on a pipe, but the flags or DATA name something else to send. Use DATA "-" to send the input.',
    );
}
