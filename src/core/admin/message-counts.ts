import { NatspocError } from '../lib/errors.js';
import type { GroupObserver } from '../ports/observer.js';

/** A number of messages. */
export interface Count {
  messages: number;
  isEstimate: boolean;
}

/** A position that is some messages before or after another position of the same partition. */
export interface Place {
  /** The position itself. */
  to: number;
  /** The number of messages between the two positions; absent if the messages were not counted. */
  passed?: Count;
}

/** Counts the messages of one partition. */
export interface MessageCounts {
  /** Counts the messages after one sequence and up to another. */
  between(after: number, upTo: number): Promise<Count>;
  /** The position that is this number of messages before `from`, but not before `lowest`. */
  back(lowest: number, from: number, messages: number): Promise<Place>;
  /** The position that is this number of messages after `from`, but not after `last`. */
  forward(from: number, last: number, messages: number): Promise<Place>;
}

/** Up to this number, messages are counted one by one. Above it, the server's counts are used. */
const COUNTED = 10_000;
/** Tolerance for the difference of two server counts: messages may be published in between. */
const BLUR = 500;

/**
 * Returns a number of messages. Estimates decide nothing: no position is chosen by them, and nothing is deleted.
 *
 * @param doing what needs the number, for example `seek by a number of messages`.
 * @throws NatspocError `failed` if the number is an estimate.
 */
export function exactly({ messages, isEstimate }: Count, doing: string): number {
  if (!isEstimate) return messages;
  throw new NatspocError(
    'failed',
    `Could not ${doing}: the stream has no room for a consumer that counts messages. Raise its max_consumers, or delete a consumer.`,
  );
}

/** Counts the messages of a partition that has its own subject. */
export function countsOf(
  observer: Pick<GroupObserver, 'waiting' | 'sequences'>,
  partition: number,
): MessageCounts {
  /** The number of messages in a range, as the server counts them. */
  const about = async (after: number, upTo: number): Promise<Count> => {
    const [more, less] = await Promise.all([after, upTo].map((at) => observer.waiting(partition, at)));
    const isEstimate = more?.isEstimate === true || less?.isEstimate === true;
    return { messages: (more?.count ?? 0) - (less?.count ?? 0), isEstimate };
  };
  const exact = async (after: number, upTo: number): Promise<number> =>
    exactly(await about(after, upTo), 'seek by a number of messages');
  /** The sequences of the first `limit` messages in a range. */
  const sequences = async (after: number, upTo: number, limit: number): Promise<number[]> =>
    (await observer.sequences(partition, after, limit)).filter((sequence) => sequence <= upTo);
  return {
    async between(after, upTo) {
      if (after === upTo) return { messages: 0, isEstimate: false };
      const roughly = await about(after, upTo);
      if (roughly.messages > COUNTED) return roughly;
      // An estimate can be far too low.
      const most = roughly.isEstimate ? COUNTED + 1 : roughly.messages + BLUR;
      const counted = await sequences(after, upTo, most);
      return { messages: counted.length, isEstimate: roughly.isEstimate && counted.length === most };
    },

    async back(lowest, from, messages) {
      const isCounted = messages <= COUNTED;
      const wanted = isCounted ? messages + BLUR : messages;
      const low = await search(lowest, from, async (at) => (await exact(at, from)) >= wanted);
      if (!isCounted) return { to: low };
      return { to: (await sequences(low, from, wanted + 2 * BLUR)).at(-messages - 1) ?? low };
    },

    async forward(from, last, messages) {
      if (messages > COUNTED)
        return { to: await search(from, last, async (at) => (await exact(from, at)) <= messages) };
      return { to: (await sequences(from, last, messages)).at(-1) ?? from };
    },
  };
}

/**
 * Finds the highest sequence from `low` to `high` at which `holds` is true; `low` if there is none. `holds` must be true up to some
 * sequence, and false after it.
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
