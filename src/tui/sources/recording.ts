import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { systemReason } from '../../core/child.js';
import { messageOf, NatspocError } from '../../core/errors.js';
import { toJson } from '../../core/text.js';
import type { TopEvent } from '../model/events.js';

/** Writes events as they come, one JSON object a line. */
export interface Recorder {
  write(event: TopEvent): void;
  /** Resolves when everything is in the file. */
  close(): Promise<void>;
}

/**
 * Opens a recording.
 *
 * @throws NatspocError `usage` where the file exists already or cannot be written. A disk that takes no more ends the
 *   process: the error is thrown where nothing catches it.
 */
export async function startRecording(path: string): Promise<Recorder> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw new NatspocError('usage', `--record: cannot write ${path}: ${messageOf(cause)}.`, { cause });
  });
  const stream = createWriteStream('', { fd: file });
  stream.on('error', (cause) => {
    // A recording with a hole in it would be taken for the whole story: it is the end of what records.
    throw new NatspocError('failed', `--record: cannot write ${path}: ${systemReason(cause)}.`, { cause });
  });
  return {
    write: (event) => {
      // A round of questions that is under way may end after the recording.
      if (!stream.writableEnded) stream.write(`${toJson(event)}\n`);
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}

/** True for what looks like an event; a recording is our own file, but perhaps of another version or cut off. */
function isEvent(value: unknown): value is TopEvent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'at' in value &&
    typeof value.at === 'number' &&
    'type' in value &&
    typeof value.type === 'string'
  );
}

/**
 * Reads a recording. A last line that was cut off in the middle is left out.
 *
 * @throws NatspocError `usage` where there is no such file or it is no recording.
 */
export async function readRecording(path: string): Promise<TopEvent[]> {
  const file = await open(path).catch((cause: unknown) => {
    throw new NatspocError('usage', `--replay: cannot read ${path}: ${messageOf(cause)}.`, { cause });
  });
  const events: TopEvent[] = [];
  let broken: number | undefined;
  let number = 0;
  for await (const text of file.readLines()) {
    number++;
    if (broken !== undefined) break;
    try {
      const event: unknown = JSON.parse(text);
      if (isEvent(event)) events.push(event);
      else broken = number;
    } catch {
      broken = number;
    }
  }
  if (events.length === 0 || (broken !== undefined && broken < number)) {
    throw new NatspocError(
      'usage',
      `--replay: ${path} is no recording of natspoc top (line ${broken ?? 1}).`,
    );
  }
  return events;
}
