import { NatspocError } from '../errors.js';
import type { StreamFacts } from '../observe/facts.js';
import type { GroupObserver } from '../observe/observer.js';
import { parsePlace, type StreamPlace } from '../settings/start-from.js';

/** Where a position is to go: an end of the stream, before a sequence or a time, or some messages from where it is. */
export type SeekTarget =
  | { kind: 'first' }
  | { kind: 'last' }
  | StreamPlace
  | { kind: 'relative'; messages: number };

/**
 * Reads `first`, `last`, `seq:N`, `time:ISO-8601`, `-100` or `+100`.
 *
 * @throws NatspocError `usage` for anything else.
 */
export function parseSeekTarget(text: string): SeekTarget {
  if (text === 'first' || text === 'last') return { kind: text };
  const place = parsePlace(text);
  if (place) return place;
  const messages = /^[+-][1-9]\d{0,11}$/.exec(text)?.[0];
  if (messages) return { kind: 'relative', messages: Number(messages) };
  throw new NatspocError(
    'usage',
    `--to: ${JSON.stringify(text)} is not first, last, seq:N, time:ISO-8601, -100 or +100.`,
  );
}

/** What finding a target needs. */
export interface SeekSource {
  observer: Pick<GroupObserver, 'waiting'>;
  stream: Pick<StreamFacts, 'firstSequence' | 'lastSequence'>;
  /** The first sequence stored at or after a time; undefined: the server does not say. */
  sequenceAt(time: Date): Promise<number | undefined>;
}

/** Messages between two sequences are counted so often before a count is taken that publishers may have blurred. */
const MOST_COUNTS = 20;

/** One position on its way. */
export interface SeekStep {
  partition: number;
  /** The last sequence handled before; null: the group has not begun here. */
  from: number | null;
  /** The last sequence that counts as handled afterwards. */
  to: number;
  /** Messages that will never be handled, and those that will be handled again. */
  skipped: number;
  repeated: number;
}

/** Where one partition's position is to go, and what that means. */
export async function planSeek(
  source: SeekSource,
  partition: number,
  position: number | null,
  target: SeekTarget,
): Promise<SeekStep> {
  const { observer, stream } = source;
  const behind = async (sequence: number): Promise<number> =>
    (await observer.waiting(partition, sequence)).count;
  const between: Between = async (after, upTo) => {
    let before = await behind(after);
    for (let tries = 1; ; tries++) {
      const rest = await behind(upTo);
      // A count is of its moment. That nothing was published between the two shows when the first is still true.
      const again = await behind(after);
      if (again === before || tries === MOST_COUNTS) return before - rest;
      before = again;
    }
  };
  const from = position ?? Math.max(0, stream.firstSequence - 1);
  const to = await resolve(source, from, target, between);
  const moved = to === from ? 0 : await between(from, to);
  return { partition, from: position, to, skipped: Math.max(0, moved), repeated: Math.max(0, -moved) };
}

/** How many messages of the partition lie after one sequence and up to another; negative where they are swapped. */
type Between = (after: number, upTo: number) => Promise<number>;

async function resolve(
  { stream, sequenceAt }: SeekSource,
  from: number,
  target: SeekTarget,
  between: Between,
): Promise<number> {
  const { firstSequence, lastSequence } = stream;
  switch (target.kind) {
    case 'first':
      return Math.max(0, firstSequence - 1);
    case 'last':
      return lastSequence;
    case 'sequence':
      return Math.min(target.sequence - 1, lastSequence);
    case 'time': {
      const sequence = await sequenceAt(target.time);
      if (sequence === undefined) {
        throw new NatspocError(
          'unreachable',
          'Could not look up the time: the server did not answer in time.',
        );
      }
      return Math.min(sequence - 1, lastSequence);
    }
    case 'relative': {
      const { messages } = target;
      return messages < 0
        ? search(firstSequence - 1, from, async (at) => (await between(at, from)) >= -messages)
        : search(from, lastSequence, async (at) => (await between(from, at)) <= messages);
    }
  }
}

/**
 * The highest sequence of a range for which `holds`, which is true up to some sequence and false after it; `low` where
 * it never is. A partition's messages are not numbered by themselves, so halving the range finds them.
 */
async function search(
  low: number,
  high: number,
  holds: (sequence: number) => Promise<boolean>,
): Promise<number> {
  let [least, most] = [Math.max(0, low), high];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (await holds(middle)) least = middle;
    else most = middle - 1;
  }
  return least;
}
