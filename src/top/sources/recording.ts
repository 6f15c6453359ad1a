import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { toJson } from '../../core/lib/text.js';
import { systemReason } from '../../local/child.js';
import { decodeEvent } from '../model/decode.js';
import type { TopEvent } from '../model/events.js';

/** Writes events as they arrive, one JSON object per line. */
export interface Recorder {
  write(event: TopEvent): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/**
 * Opens a recording.
 *
 * @throws NatspocError `usage` if the file exists or cannot be written. A full disk ends the process with an uncaught error.
 */
export async function startRecording(path: string): Promise<Recorder> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw new NatspocError('usage', `--record: cannot write ${path}: ${messageOf(cause)}.`, { cause });
  });
  const stream = createWriteStream('', { fd: file });
  stream.on('error', (cause) => {
    // A recording with a gap would be misleading, so the process ends.
    throw new NatspocError('failed', `--record: cannot write ${path}: ${systemReason(cause)}.`, { cause });
  });
  return {
    write: (event) => {
      // A polling round may end after the recording is closed.
      if (!stream.writableEnded) stream.write(`${toJson(event)}\n`);
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}

/** Ten times the longest line of the largest group. */
const MAX_LINE_CHARACTERS = 16 * 1_048_576;
/** Days of a busy group; in memory the events take several times as much. */
const MAX_CHARACTERS = 256 * 1_048_576;

const refusal = (path: string, why: string, cause?: unknown): NatspocError =>
  new NatspocError('usage', `--replay: ${path} ${why}.`, { cause });

/** The lines of a text that arrives in chunks, in bounded memory. The last one needs no line feed. */
async function* linesOf(pieces: AsyncIterable<string>, path: string): AsyncGenerator<string> {
  let rest = '';
  let characters = 0;
  for await (const piece of pieces) {
    characters += piece.length;
    if (characters > MAX_CHARACTERS)
      throw refusal(path, 'is longer than 256 MiB; cut it at the end of a line');
    const lines = piece.split('\n');
    lines[0] = rest + lines[0];
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_LINE_CHARACTERS)
      throw refusal(path, 'is no recording of natspoc top: a line has no end');
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
  const pieces: AsyncIterable<string> = file.createReadStream({ encoding: 'utf8' });
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
    throw refusal(path, `is no recording of natspoc top (line ${broken ?? 1})`);
  return events;
}
