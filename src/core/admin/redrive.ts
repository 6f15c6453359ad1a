import { NatspocError } from '../lib/errors.js';
import type { DeadLetterStore, RedriveTarget } from '../ports/dead-letters.js';
import { type FoundLetter, REDRIVEN_HEADER } from '../protocol/dead-letter.js';

/** So many letters are in hand at a time. */
const BATCH = 256;
/** How often an answer is waited for. */
const TRIES = 3;

/** Which letters, and what to do with them. */
export interface RedriveOptions {
  box: DeadLetterStore;
  target: RedriveTarget;
  /** Partitions of that stream. */
  partitions: number;
  /** Only those of this group; undefined: of all. */
  group?: string | undefined;
  /** At most so many. */
  count?: number | undefined;
  /** Told about each that was put back; `sequence`: its new one in the stream. */
  onRedriven?: ((letter: FoundLetter, sequence: number) => void) | undefined;
  /** Told about each that cannot be put back, and why. */
  onKept?: ((letter: FoundLetter, reason: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What became of them. */
export interface RedriveSummary {
  redriven: number;
  /** Left where they are: of other groups, or no dead letters of this stream. */
  left: number;
  /** Left where they are, as they cannot be put back. */
  kept: number;
}

/**
 * Puts dead letters back to the partitions that they came from, oldest first, and deletes each once the stream
 * has confirmed it. They carry message ids: one that was put back and could not be deleted is not stored twice
 * by another attempt within the stream's duplicate window. Every group of the stream sees them again. One that cannot be
 * put back stays, and stops no other.
 *
 * @throws NatspocError `unreachable` or `not-permitted` where none can be; those before it are back already.
 */
export async function redrive(options: RedriveOptions): Promise<RedriveSummary> {
  const { box, group, count = Number.POSITIVE_INFINITY, signal } = options;
  const summary: RedriveSummary = { redriven: 0, left: 0, kept: 0 };
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

/** Partitions side by side, the letters of each in their order. */
async function putBack(
  batch: readonly FoundLetter[],
  options: RedriveOptions,
  summary: RedriveSummary,
): Promise<void> {
  const lanes = new Map<number, FoundLetter[]>();
  for (const letter of batch) {
    const lane = lanes.get(letter.partition);
    if (lane) lane.push(letter);
    else lanes.set(letter.partition, [letter]);
  }
  const under = [...lanes.values()].map(async (lane) => {
    for (const letter of lane) await putBackOne(letter, options, summary);
  });
  for (const each of await Promise.allSettled(under)) if (each.status === 'rejected') throw each.reason;
}

async function putBackOne(
  letter: FoundLetter,
  options: RedriveOptions,
  summary: RedriveSummary,
): Promise<void> {
  const outcome = await send(letter, options);
  if (typeof outcome === 'string') {
    summary.kept++;
    options.onKept?.(letter, outcome);
    return;
  }
  await options.box.remove(letter.sequence);
  for (const part of letter.parts) await options.box.remove(part);
  summary.redriven++;
  options.onRedriven?.(letter, outcome);
}

/** The new sequence of a letter's message, or why it stays. */
async function send(
  letter: FoundLetter,
  { box, target, partitions }: RedriveOptions,
): Promise<number | string> {
  const { partition, group, from, time, sequence } = letter;
  if (partition >= partitions) return `it is of partition ${partition}, and the stream has ${partitions}`;
  const original = await box.original(letter);
  if (!original) return 'a part of its message cannot be read';
  const times = Number(original.headers[REDRIVEN_HEADER] ?? 0) + 1;
  const headers = { ...original.headers, [REDRIVEN_HEADER]: String(times) };
  const id = `redrive.${group}.${from}.${sequence}.${time}`;
  for (let tries = 1; ; tries++) {
    const outcome = await target.store(partition, { headers, data: original.data }, id);
    if (outcome.kind === 'ok') return outcome.sequence;
    if (outcome.kind === 'failed') {
      if (outcome.error.code === 'not-permitted') throw outcome.error;
      return outcome.error.message.replace(/\.$/, '');
    }
    if (tries === TRIES) {
      const message = `Dead letter ${sequence} was not confirmed: the stream did not answer in time.`;
      throw new NatspocError('unreachable', message);
    }
  }
}
