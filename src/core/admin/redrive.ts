import { NatspocError } from '../lib/errors.js';
import { withoutStop } from '../lib/text.js';
import { whyUnanswered } from '../lib/unanswered.js';
import type { DeadLetterStore, RedriveTarget } from '../ports/dead-letters.js';
import { type FoundLetter, REDRIVEN_HEADER } from '../protocol/dead-letter.js';

/** Dead letters are published in batches of at most this size. */
const BATCH = 256;
/** Maximum number of attempts if the stream does not answer. */
const TRIES = 3;

/** The dependencies of a redrive. */
export interface RedrivePorts {
  box: DeadLetterStore;
  target: RedriveTarget;
  /** Number of partitions of the target. */
  partitions: number;
  /** The partition of the target to which a letter's message belongs. */
  place: (letter: FoundLetter) => Promise<number>;
}

/** Options of a redrive. */
export interface RedriveOptions {
  /** Only dead letters of this group; undefined: all. */
  group?: string | undefined;
  /** Only dead letters with these numbers; undefined: all. */
  only?: ReadonlySet<number> | undefined;
  /** Maximum number of dead letters to publish. */
  count?: number | undefined;
  /** Called for each letter that was published again, with its new sequence in the stream. */
  onRedriven?: ((letter: FoundLetter, sequence: number) => void) | undefined;
  /** Called for each letter that cannot be published again, with the reason. */
  onKept?: ((letter: FoundLetter, reason: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The result of a redrive. */
export interface RedriveSummary {
  redriven: number;
  /** Number of letters that stay in the stream untouched, and of messages that are not dead letters of this stream. */
  left: number;
  /** Number of letters that cannot be published again. */
  kept: number;
}

/** The result of a redrive of chosen letters. */
export interface RedriveOutcome extends RedriveSummary {
  /** The chosen numbers for which no dead letter exists. */
  missing: number[];
}

/** A letter and its partition of the target. */
interface Placed {
  letter: FoundLetter;
  partition: number;
}

/**
 * Publishes dead letters to their partitions again, oldest first. Deletes each letter after the stream has confirmed it. Each message has
 * an id, so a second redrive within the stream's duplicate window does not store it twice. Every group of the stream receives the messages
 * again. A letter that cannot be published is kept, and the redrive continues.
 *
 * @throws NatspocError `unreachable` or `not-permitted` if publishing is not possible. Earlier letters may have been published already.
 */
export async function redrive(options: RedriveOptions & RedrivePorts): Promise<RedriveOutcome> {
  const { box, place, group, only, count = Number.POSITIVE_INFINITY, signal } = options;
  const missing = new Set(only);
  const summary: RedriveSummary = { redriven: 0, left: 0, kept: 0 };
  let batch: Placed[] = [];
  for await (const letter of box.letters(() => summary.left++)) {
    const isMeant = (group === undefined || letter.group === group) && only?.has(letter.sequence) !== false;
    if (isMeant) missing.delete(letter.sequence);
    if (!isMeant || summary.redriven >= count || signal?.aborted) {
      summary.left++;
      continue;
    }
    batch.push({ letter, partition: await place(letter) });
    if (batch.length < Math.min(BATCH, count - summary.redriven)) continue;
    await putBack(batch, options, summary);
    batch = [];
  }
  await putBack(batch, options, summary);
  return { ...summary, missing: [...missing] };
}

/** Publishes the letters of each partition in order, and different partitions in parallel. */
async function putBack(
  batch: readonly Placed[],
  options: RedriveOptions & RedrivePorts,
  summary: RedriveSummary,
): Promise<void> {
  const byPartition = new Map<number, Placed[]>();
  for (const placed of batch) {
    const found = byPartition.get(placed.partition);
    if (found) found.push(placed);
    else byPartition.set(placed.partition, [placed]);
  }
  const under = [...byPartition.values()].map(async (found) => {
    for (const placed of found) await putBackOne(placed, options, summary);
  });
  for (const each of await Promise.allSettled(under)) if (each.status === 'rejected') throw each.reason;
}

/** Deletes a dead letter, with its parts. */
export async function dropLetter(box: DeadLetterStore, { sequence, parts }: FoundLetter): Promise<void> {
  await box.remove(sequence);
  for (const part of parts) await box.remove(part);
}

async function putBackOne(
  placed: Placed,
  options: RedriveOptions & RedrivePorts,
  summary: RedriveSummary,
): Promise<void> {
  if (options.signal?.aborted) {
    summary.left++;
    return;
  }
  const { letter } = placed;
  const outcome = await send(placed, options);
  if (typeof outcome === 'string') {
    summary.kept++;
    options.onKept?.(letter, outcome);
    return;
  }
  await dropLetter(options.box, letter);
  summary.redriven++;
  options.onRedriven?.(letter, outcome);
}

/** Publishes the message of a letter. Returns the new sequence of the message, or the reason why the letter is kept. */
async function send(
  { letter, partition }: Placed,
  { box, target, partitions }: RedrivePorts,
): Promise<number | string> {
  const { group, from, time, sequence, subject } = letter;
  if (partition >= partitions)
    return `it belongs to partition ${partition}, but the stream has only ${partitions}`;
  const original = await box.original(letter);
  if (!original) return 'a part of its message cannot be read';
  const times = Number(original.headers[REDRIVEN_HEADER] ?? 0) + 1;
  const headers = { ...original.headers, [REDRIVEN_HEADER]: String(times) };
  const id = `redrive.${group}.${from}.${sequence}.${time}`;
  for (let tries = 1; ; tries++) {
    const outcome = await target.store({ partition, subject }, { headers, data: original.data }, id);
    if (outcome.kind === 'ok') return outcome.sequence;
    if (outcome.kind === 'failed') {
      if (outcome.error.code === 'not-permitted') throw outcome.error;
      return withoutStop(outcome.error.message);
    }
    if (tries === TRIES) {
      const why = whyUnanswered(outcome, 'the stream did not answer in time');
      throw new NatspocError('unreachable', `Dead letter ${sequence} was not confirmed: ${why}.`);
    }
  }
}
