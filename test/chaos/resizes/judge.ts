/** A confirmed message. */
export interface Published {
  sequence: number;
  key: string | null;
}

/** A line of a member: `at` when it arrived here, `index` its place in the member's output. */
export interface Handled extends Published {
  member: string;
  epoch: number;
  index: number;
  at: number;
}

/** A time in which messages may be handled and not committed, milliseconds. */
export interface Trouble {
  from: number;
  to: number;
  /** Only of this member; absent: of all. */
  member?: string;
}

/** The verdict; `samples` describes the first few faults. */
export interface ResizeVerdict {
  published: number;
  handled: number;
  lost: number;
  disorder: number;
  /** Handled again after a kill or a restart of the server, which explains it. */
  repeated: number;
  /** Handled again without such a cause. */
  unexplained: number;
  samples: string[];
}

const SAMPLES = 5;

/**
 * Judges a group that was resized, by key, because the partitions change: all epochs are revisions of one bucket, so they order what
 * different owners of a key have handled.
 */
export function judgeResizes(
  published: readonly Published[],
  handled: readonly Handled[],
  troubles: readonly Trouble[],
): ResizeVerdict {
  const samples: string[] = [];
  const sample = (text: string): void => {
    if (samples.length < SAMPLES) samples.push(text);
  };
  const byKey = new Map<string | null, Handled[]>();
  for (const line of handled) byKey.set(line.key, [...(byKey.get(line.key) ?? []), line]);
  const first = new Map<number, Handled>();
  let [disorder, repeated, unexplained] = [0, 0, 0];
  for (const [key, lines] of byKey) {
    lines.sort((a, b) => a.epoch - b.epoch || a.index - b.index);
    let newest = 0;
    for (const line of lines) {
      const before = first.get(line.sequence);
      if (before) {
        if (troubles.some((trouble) => explains(trouble, before))) repeated++;
        else {
          unexplained++;
          sample(`key ${key}: #${line.sequence} by ${line.member} after ${before.member}`);
        }
        continue;
      }
      first.set(line.sequence, line);
      if (line.sequence < newest) {
        disorder++;
        sample(`key ${key}: #${line.sequence} by ${line.member} came after #${newest}`);
      }
      newest = Math.max(newest, line.sequence);
    }
  }
  const lost = published.filter(({ sequence }) => !first.has(sequence));
  for (const { key, sequence } of lost) sample(`key ${key}: #${sequence} was never handled`);
  const counts = { published: published.length, handled: first.size, lost: lost.length };
  return { ...counts, disorder, repeated, unexplained, samples };
}

const explains = ({ from, to, member }: Trouble, { at, member: by }: Handled): boolean =>
  from <= at && at <= to && (member === undefined || member === by);
