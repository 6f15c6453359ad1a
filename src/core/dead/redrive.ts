import { NatspocError } from '../errors.js';
import type { Publisher } from '../publish/publisher.js';
import { type FoundLetter, REDRIVEN_HEADER } from './letter.js';

/** So many letters are put back at a time, and deleted when all of them are confirmed. */
const BATCH = 256;

/** The dead letters of a stream. */
export interface LetterBox {
  /** All that are there now, oldest first. `foreign` hears of what is no dead letter of this stream. */
  letters(foreign: (sequence: number) => void): AsyncIterable<FoundLetter>;
  /** Deletes one; one that is not there is a success. */
  remove(sequence: number): Promise<void>;
}

/** Which letters, and what to do with them. */
export interface RedriveOptions {
  box: LetterBox;
  /** Publishes to the stream that they came from. */
  publisher: Pick<Publisher, 'publish'>;
  /** Partitions of that stream. */
  partitions: number;
  /** Only those of this group; undefined: of all. */
  group?: string | undefined;
  /** At most so many. */
  count?: number | undefined;
  /** Told about each that was put back; `sequence`: its new one in the stream. */
  onRedriven?: ((letter: FoundLetter, sequence: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What became of them. */
export interface RedriveSummary {
  redriven: number;
  /** Left where they are: of other groups, or no dead letters of this stream. */
  left: number;
}

/**
 * Puts dead letters back to the partitions that they came from, oldest first, and deletes each once the stream
 * has confirmed it. They carry message ids: one that was put back and could not be deleted is not stored twice
 * by another attempt within the stream's duplicate window. Every group of the stream sees them again.
 *
 * @throws NatspocError where the stream refuses one; those before it are back already.
 */
export async function redrive(options: RedriveOptions): Promise<RedriveSummary> {
  const { box, group, count = Number.POSITIVE_INFINITY, signal } = options;
  const summary: RedriveSummary = { redriven: 0, left: 0 };
  let batch: FoundLetter[] = [];
  for await (const letter of box.letters(() => summary.left++)) {
    if (summary.redriven + batch.length >= count || signal?.aborted) break;
    if (group !== undefined && letter.group !== group) summary.left++;
    else batch.push(letter);
    if (batch.length < BATCH) continue;
    await putBack(batch, options, summary);
    batch = [];
  }
  await putBack(batch, options, summary);
  return summary;
}

async function putBack(
  batch: readonly FoundLetter[],
  { box, publisher, partitions, onRedriven }: RedriveOptions,
  summary: RedriveSummary,
): Promise<void> {
  const under = batch.map(async (letter) => {
    const { partition, key, data, headers, group, from } = letter;
    if (partition >= partitions) {
      throw new NatspocError(
        'layout-mismatch',
        `Dead letter ${letter.sequence} is of partition ${partition}; the stream has ${partitions}.`,
      );
    }
    const times = Number(headers[REDRIVEN_HEADER] ?? 0) + 1;
    const { sequence } = await publisher.publish({
      data,
      partition,
      ...(key !== null && { key }),
      headers: { ...headers, [REDRIVEN_HEADER]: String(times) },
      id: `redrive.${group}.${from}.${letter.sequence}`,
    });
    await box.remove(letter.sequence);
    summary.redriven++;
    onRedriven?.(letter, sequence);
  });
  for (const each of await Promise.allSettled(under)) if (each.status === 'rejected') throw each.reason;
}
