import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';
import { decodeEvent } from '../model/decode.js';
import type { TopEvent } from '../model/events.js';
import { MAX_RECORDED_CHARACTERS } from './recorder.js';

/** Maximum length of a line: ten times the longest line of the largest group. */
const MAX_LINE_CHARACTERS = 16 * 1_048_576;

const refusal = (path: string, why: string, cause?: unknown): NatspocError =>
  new NatspocError('usage', `--replay: ${path} ${why}.`, { cause });

const GZIP = Buffer.from([0x1f, 0x8b]);

/** The text of a file, compressed or not. The end of a compressed file can be missing, for example after a kill. */
async function* textOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let unpack: ((chunk: Buffer) => Promise<Buffer[]>) | undefined;
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && chunk.subarray(0, GZIP.length).equals(GZIP)) unpack = unpacker();
    isFirst = false;
    for (const part of unpack ? await unpack(chunk) : [chunk]) yield decoder.decode(part, { stream: true });
  }
  yield decoder.decode();
}

/** Unpacks chunk by chunk. @throws the error of zlib. */
function unpacker(): (chunk: Buffer) => Promise<Buffer[]> {
  const gunzip = createGunzip();
  let parts: Buffer[] = [];
  gunzip.on('data', (part: Buffer) => parts.push(part));
  return (chunk) =>
    new Promise((resolve, reject) => {
      gunzip.once('error', reject);
      gunzip.write(chunk, () => {
        gunzip.off('error', reject);
        const found = parts;
        parts = [];
        resolve(found);
      });
    });
}

/** The lines of a text that arrives in chunks. The last line needs no line feed. */
async function* linesOf(pieces: AsyncIterable<string>, path: string): AsyncGenerator<string> {
  let rest = '';
  let characters = 0;
  for await (const piece of pieces) {
    characters += piece.length;
    if (characters > MAX_RECORDED_CHARACTERS)
      throw refusal(path, 'is longer than 256 MiB; cut it at the end of a line');
    const lines = piece.split('\n');
    lines[0] = rest + lines[0];
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_LINE_CHARACTERS)
      throw refusal(path, 'is not a recording of natspoc top: a line has no end');
  }
  if (rest !== '') yield rest;
}

function parseEvent(line: string): TopEvent | undefined {
  try {
    return decodeEvent(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/**
 * Reads a recording. An incomplete last line is ignored.
 *
 * @throws NatspocError `usage` if the file does not exist, is not a recording, or is larger than 256 MiB.
 */
export async function readRecording(path: string): Promise<TopEvent[]> {
  const file = await open(path).catch((cause: unknown) => {
    throw refusal(path, `cannot be read: ${systemReason(cause)}`, cause);
  });
  const chunks: AsyncIterable<Buffer> = file.createReadStream();
  const pieces = textOf(chunks);
  const events: TopEvent[] = [];
  let broken: number | undefined;
  let number = 0;
  try {
    for await (const line of linesOf(pieces, path)) {
      number++;
      if (broken !== undefined) break;
      const event = parseEvent(line);
      if (event) events.push(event);
      else broken = number;
    }
  } catch (error) {
    throw error instanceof NatspocError
      ? error
      : refusal(path, `cannot be read: ${systemReason(error)}`, error);
  }
  if (events.length === 0 || (broken !== undefined && broken < number))
    throw refusal(path, `is not a recording of natspoc top (line ${broken ?? 1})`);
  return events;
}
