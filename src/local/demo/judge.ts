/** A message that the publisher says the server has confirmed. */
export interface PublishedMessage {
  partition: number;
  seq: number;
  key: string | null;
  data: string;
}

/** A message as a consumer wrote it, and where. */
export interface HandledMessage extends PublishedMessage {
  epoch: number;
  consumer: string;
  /** Place in this consumer's output. */
  index: number;
  /** When the line arrived here, monotonic milliseconds. */
  at: number;
}

/** What the judge found. `samples` names the first few of what is wrong. */
export interface Verdict {
  published: number;
  /** Different messages handled. */
  handled: number;
  lost: number;
  /** Messages handled more than once, counted by repetition. */
  duplicated: number;
  outOfOrder: number;
  /** Lines for messages that were never confirmed, or that differ from what was published. */
  foreign: number;
  samples: string[];
}

const MAX_SAMPLES = 5;

/**
 * Judges a run from what was confirmed as published and what consumers wrote, from nothing else.
 *
 * Order: within an epoch sequences increase strictly. Across epochs a repetition is a duplicate, not disorder;
 * but what is handled for the first time must come after everything that was handled for the first time before.
 */
export function judge(published: readonly PublishedMessage[], handled: readonly HandledMessage[]): Verdict {
  const samples: string[] = [];
  const sample = (text: string): void => {
    if (samples.length < MAX_SAMPLES) samples.push(text);
  };
  const expected = new Map(published.map((message) => [message.seq, message]));
  const seen = new Set<number>();
  let [duplicated, outOfOrder, foreign] = [0, 0, 0];

  for (const [partition, lines] of byPartition(handled)) {
    let newest = 0;
    let lastOfEpoch = { epoch: -1, seq: 0 };
    for (const line of lines) {
      const original = expected.get(line.seq);
      if (
        !original ||
        original.data !== line.data ||
        original.key !== line.key ||
        original.partition !== partition
      ) {
        foreign++;
        sample(`p${partition} #${line.seq} was not published like this`);
        continue;
      }
      const repeated = seen.has(line.seq);
      const backwards = lastOfEpoch.epoch === line.epoch && line.seq <= lastOfEpoch.seq;
      if (backwards || (!repeated && line.seq < newest)) {
        outOfOrder++;
        sample(`p${partition} #${line.seq} came after #${backwards ? lastOfEpoch.seq : newest}`);
      }
      if (repeated) duplicated++;
      seen.add(line.seq);
      newest = Math.max(newest, line.seq);
      lastOfEpoch = { epoch: line.epoch, seq: line.seq };
    }
  }
  let lost = 0;
  for (const message of expected.values()) {
    if (seen.has(message.seq)) continue;
    lost++;
    sample(`p${message.partition} #${message.seq} was never handled`);
  }
  return { published: expected.size, handled: seen.size, lost, duplicated, outOfOrder, foreign, samples };
}

/** The lines of each partition in the order in which they were handled: by epoch, then by place in the output. */
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
 * The longest time, milliseconds, in which one of these partitions had no message handled while it changed
 * hands: from the last line of an epoch below `epoch` to the first line from then on. Bounded below by the
 * distance of messages. Null where a partition has no lines on both sides.
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
 * The longest time, milliseconds, in which a partition had no message handled, of all partitions, from `sinceMs` to
 * `untilMs`; null where nothing was handled.
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
