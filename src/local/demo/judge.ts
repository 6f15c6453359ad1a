/** A message that the server confirmed to the publisher. */
export interface PublishedMessage {
  partition: number;
  sequence: number;
  key: string | null;
  data: string;
}

/** A message in the output of a member. */
export interface HandledMessage extends PublishedMessage {
  epoch: number;
  consumer: string;
  /** The number of the line in this member's output, from 0. */
  index: number;
  /** When the line arrived here, in monotonic milliseconds. */
  at: number;
}

/** The verdict. `samples` describes the first few faults. */
export interface Verdict {
  published: number;
  /** Distinct messages handled. */
  handled: number;
  lost: number;
  /** Number of repetitions. For example, a message handled three times counts as two. */
  duplicated: number;
  outOfOrder: number;
  /** Lines whose message was never confirmed, or has other content than the confirmed message. */
  foreign: number;
  samples: string[];
}

const MAX_SAMPLES = 5;

/**
 * Judges a run by the confirmed messages and the members' output.
 *
 * Order: within an epoch, sequences increase strictly. Across epochs, a repeated message is a duplicate, not disorder. A new message must
 * have a higher sequence than all messages handled before it in its partition.
 */
export function judge(published: readonly PublishedMessage[], handled: readonly HandledMessage[]): Verdict {
  const samples: string[] = [];
  const sample = (text: string): void => {
    if (samples.length < MAX_SAMPLES) samples.push(text);
  };
  const expected = new Map(published.map((message) => [message.sequence, message]));
  const seen = new Set<number>();
  let [duplicated, outOfOrder, foreign] = [0, 0, 0];

  for (const [partition, lines] of byPartition(handled)) {
    let newest = 0;
    let lastOfEpoch = { epoch: -1, sequence: 0 };
    for (const line of lines) {
      const original = expected.get(line.sequence);
      if (
        !original ||
        original.data !== line.data ||
        original.key !== line.key ||
        original.partition !== partition
      ) {
        foreign++;
        sample(`p${partition} #${line.sequence} does not match a published message`);
        continue;
      }
      const repeated = seen.has(line.sequence);
      const backwards = lastOfEpoch.epoch === line.epoch && line.sequence <= lastOfEpoch.sequence;
      if (backwards || (!repeated && line.sequence < newest)) {
        outOfOrder++;
        sample(`p${partition} #${line.sequence} came after #${backwards ? lastOfEpoch.sequence : newest}`);
      }
      if (repeated) duplicated++;
      seen.add(line.sequence);
      newest = Math.max(newest, line.sequence);
      lastOfEpoch = { epoch: line.epoch, sequence: line.sequence };
    }
  }
  let lost = 0;
  for (const message of expected.values()) {
    if (seen.has(message.sequence)) continue;
    lost++;
    sample(`p${message.partition} #${message.sequence} was never handled`);
  }
  return { published: expected.size, handled: seen.size, lost, duplicated, outOfOrder, foreign, samples };
}

/** The lines of each partition, ordered by epoch and then by index. */
function byPartition(handled: readonly HandledMessage[]): Map<number, HandledMessage[]> {
  const partitions = new Map<number, HandledMessage[]>();
  for (const line of handled) {
    const lines = partitions.get(line.partition);
    if (lines) lines.push(line);
    else partitions.set(line.partition, [line]);
  }
  for (const lines of partitions.values()) lines.sort((a, b) => a.epoch - b.epoch || a.index - b.index);
  return partitions;
}

/**
 * The longest pause of a moved partition, in milliseconds: from the last line of its former owners to the first line of its new owner. Null
 * if no partition has lines before and after its move.
 *
 * @param moved the epoch of the new owner of each moved partition.
 */
export function longestPause(
  handled: readonly HandledMessage[],
  moved: ReadonlyMap<number, number>,
): number | null {
  let longest: number | null = null;
  for (const [partition, epoch] of moved) {
    let before = Number.NEGATIVE_INFINITY;
    let after = Number.POSITIVE_INFINITY;
    for (const line of handled) {
      if (line.partition !== partition) continue;
      if (line.epoch < epoch) before = Math.max(before, line.at);
      else after = Math.min(after, line.at);
    }
    const pause = after - before;
    if (Number.isFinite(pause)) longest = Math.max(longest ?? 0, pause);
  }
  return longest;
}

/**
 * The longest time without a handled message in any partition, in milliseconds, between `sinceMs` and `untilMs`. Null if nothing was
 * handled.
 */
export function longestSilence(
  handled: readonly HandledMessage[],
  sinceMs: number,
  untilMs: number,
): number | null {
  const lastAt = new Map<number, number>();
  let longest: number | null = null;
  for (const { partition, at } of handled.toSorted((a, b) => a.at - b.at)) {
    const before = lastAt.get(partition);
    lastAt.set(partition, at);
    if (before === undefined || at < sinceMs || before > untilMs) continue;
    longest = Math.max(longest ?? 0, at - before);
  }
  return longest;
}
