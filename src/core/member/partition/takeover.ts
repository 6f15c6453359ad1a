import type { Clock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import { whyUnanswered } from '../../lib/unanswered.js';
import type { Bucket, EventStream } from '../../ports/index.js';
import { type Crashes, crashesAt, crashFields } from '../../protocol/crashes.js';
import { keys } from '../../protocol/keys.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PartitionStart } from '../../protocol/partition-start.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import {
  decodePosition,
  type PositionRecord,
  type PositionTags,
  positionTags,
} from '../../protocol/position-records.js';
import { readerName } from '../../protocol/reader-name.js';
import { unreadableAs } from '../../protocol/record-format.js';
import { type DeadOwners, encodeRecord } from '../../protocol/records.js';
import type { RunnerStatus } from './contract.js';
import type { Permit } from './permit.js';
import { newReaderToken } from './reader-token.js';
import { streamFit } from './stream-fit.js';
import type { TrimState } from './stream-losses.js';

/** The state of a runner's search for losses. The next runner of the same epoch continues from it. */
export interface LossesLeft {
  /** The state in which the search ended; undefined if the stream's readers search for losses. */
  state: TrimState | undefined;
  /** Number of lost messages that the position does not record yet. */
  uncounted: number;
}

/** The partition to take over, and the epoch of its new owner. */
export interface Takeover {
  group: string;
  partition: number;
  epoch: number;
  /** Owners that have died. If one of them wrote the position, one death is counted. */
  died?: DeadOwners | null | undefined;
  /** The epoch of the group's layout. A position of an earlier layout belongs to another partition, and is not taken over. Default 0. */
  layout?: number | undefined;
  /** Where to start if the partition has no position. */
  start: PartitionStart | 'unreadable';
  /** True for messages that were handled before the last resize and are skipped now. */
  isHandled?: ((message: StreamMessage) => boolean) | undefined;
  /** The earlier progress of this member in the partition under the same epoch; absent if there is none. */
  before?:
    | {
        readonly status: Pick<RunnerStatus, 'position' | 'committed' | 'mark'>;
        readonly losses?: LossesLeft;
      }
    | undefined;
  /** The position that this member last committed in the partition, under any epoch; sequence 0 if it committed nothing. */
  known?: PositionMark | undefined;
}

/** A position that was taken over; see {@link TakeoverOutcome}. */
export interface Taken {
  kind: 'taken';
  sequence: number;
  resumed: number;
  /** The mark at `resumed`, with the stream's current creation time. */
  mark: PositionMark;
  revision: number;
  /** The token of the reader to open. The position records this token. */
  reader: string;
  /** The number of dropped messages recorded in the position. */
  trimmed: number;
  /** The deaths of owners recorded in the position. */
  crashes: Crashes;
  /** The position's layout, and whether a seek has moved the position since the last resize. */
  tags: PositionTags;
}

/**
 * How a takeover ended. `taken`: everything up to `sequence` is committed, and everything up to `resumed` is handled. `fenced`: there
 * is a newer owner, or the takeover is no longer wanted. `unreadable`: the position cannot be decoded, and an operator has to act.
 * `unknown`: try again.
 */
export type TakeoverOutcome =
  | Taken
  | { kind: 'fenced' }
  | { kind: 'unreadable'; message: string }
  | { kind: 'unknown'; message: string }
  | { kind: 'failed'; error: NatspocError };

/**
 * Takes over the position of a partition: reads it, writes it back under our epoch, and deletes the reader of the previous owner. After the
 * write, commits of an older owner fail. The deletion ends the deliveries to the previous owner. That owner checks the position before it
 * opens another reader.
 *
 * @param held called right after the write. From this call on, commits are possible, even if the deletion of the reader fails.
 */
export async function takeOver(
  takeover: Takeover,
  ports: {
    bucket: Bucket;
    stream: EventStream;
    clock: Clock;
    permit: Permit;
    /** After this many owners in a row have died at a message, the message fails. The position records the number of deaths. */
    maxCrashes: number;
    isWanted: () => boolean;
  },
  held: (position: Taken) => void,
): Promise<TakeoverOutcome> {
  const { group, partition, epoch, layout = 0, start } = takeover;
  const { bucket, stream } = ports;
  const key = keys.position(group, partition);
  const found = await bucket.read(key);
  if (found.kind === 'failed') return found;
  if (found.kind === 'unknown')
    return { kind: 'unknown', message: whyUnanswered(found, 'its position could not be read in time') };

  // The lease may have moved to another owner while the position was read.
  if (!ports.isWanted()) return { kind: 'fenced' };

  let sequence: number;
  let older: PositionRecord | undefined;
  const best = bestKnown(takeover);
  if (found.kind === 'found' && found.entry.value) {
    const position = decodePosition(found.entry.value);
    if (!position) return { kind: 'unreadable', message: describeUnreadable(partition, found.entry.value) };
    if (position.epoch > epoch && !(await isNewest(takeover, bucket))) return { kind: 'fenced' };
    if ((position.layout ?? 0) > layout) return { kind: 'fenced' };
    if ((position.layout ?? 0) === layout && !isPutBack(best, position)) older = position;
  }
  if (older) sequence = older.seq;
  else if (best.sequence > 0) {
    // The position existed and was removed. Unless there is a newer owner, no other member knows a later position.
    if (!(await isNewest(takeover, bucket))) return { kind: 'fenced' };
    // This write can create a position, so it needs the permit, like a commit.
    if (!ports.permit.isOpen) return { kind: 'unknown', message: 'the member could not renew in time' };
    sequence = best.sequence;
  } else {
    if (start === 'unreadable') return { kind: 'unreadable', message: describeNoStart(partition) };
    sequence = start.seq;
  }
  const isStart = older === undefined && start !== 'unreadable' && sequence === start.seq;
  const { created, stored } = older ?? (isStart ? start : best);
  const mark = markOf(takeover, { sequence, created, stored });
  // The check of the stream runs while the position is written.
  const fitting = streamFit(mark, ports);

  const reader = newReaderToken();
  const trimmed = (older ?? (isStart ? start : undefined))?.trimmed ?? 0;
  const at = new Date().toISOString();
  // An owner that never wrote its position has started no call, so its death is not counted.
  const died = older !== undefined && takeover.died?.includes(older.epoch) === true;
  const crashes = crashesAt(older ?? {}, died, ports.maxCrashes);
  const tags = positionTags(layout, older?.sought);
  const kept = { ...tags, ...(trimmed > 0 && { trimmed }), ...crashFields(crashes) };
  const record: PositionRecord = { ...kept, seq: sequence, epoch, at, reader, created, stored };
  const written = await bucket.write(
    key,
    encodeRecord(record),
    found.kind === 'found' ? found.entry.revision : 0,
  );
  if (written.kind === 'failed') return written;
  if (written.kind === 'conflict')
    return { kind: 'unknown', message: 'its position was changed by another client' };
  if (written.kind === 'unknown')
    return { kind: 'unknown', message: whyUnanswered(written, 'its position could not be written in time') };
  const { revision } = written;
  const taken: Taken = {
    kind: 'taken',
    sequence,
    resumed: mark.sequence,
    mark,
    revision,
    reader,
    trimmed,
    crashes,
    tags,
  };
  held(taken);
  if (older?.reader !== undefined) {
    const removed = await stream.remove(readerName(group, partition, older.epoch, older.reader));
    if (removed.kind === 'failed') return removed;
    if (removed.kind === 'unknown')
      return { kind: 'unknown', message: 'the reader of the previous owner could not be deleted in time' };
  }
  const fit = await fitting;
  if (fit.kind === 'misfit') return { kind: 'unknown', message: fit.message };
  return { ...taken, mark: { ...mark, created: fit.created } };
}

/** A member never starts at a guessed position. */
function describeUnreadable(partition: number, value: Uint8Array): string {
  return unreadableAs(value) === 'newer'
    ? 'its position was written by a newer version of natspoc: update this member'
    : `its position cannot be read: choose where to continue with "natspoc leases seek ${partition} --to ..."`;
}

const describeNoStart = (partition: number): string =>
  `the start of its group cannot be read: choose where to continue with "natspoc leases seek ${partition} --to ..."`;

/** True if our lease is still the newest. A position with a higher epoch was then written before the bucket was lost or restored. */
async function isNewest({ group, partition, epoch }: Takeover, bucket: Bucket): Promise<boolean> {
  const found = await bucket.read(keys.lease(group, partition));
  return found.kind === 'found' && found.entry.revision === epoch;
}

/** True if an isolated member has written back a lost position, and this member knows a later position. */
const isPutBack = (best: PositionMark, { epoch, seq }: PositionRecord): boolean =>
  epoch === 0 && best.sequence > seq;

/** The position that this member last committed in the partition. Under the same epoch, no other member has committed since. */
function bestKnown({ before, known = { sequence: 0 } }: Takeover): PositionMark {
  return before && before.status.committed > 0 ? committedIn(before.status) : known;
}

/** The committed position in a runner's status. */
export function committedIn({
  committed: sequence,
  mark,
}: Pick<RunnerStatus, 'committed' | 'mark'>): PositionMark {
  return { ...(mark?.sequence === sequence && mark), sequence, created: mark?.created };
}

/** True if the previous runner of the epoch may have written the position that was found. */
export const continues = (
  before: Pick<RunnerStatus, 'position' | 'committed'> | undefined,
  sequence: number,
): boolean => before !== undefined && before.committed <= sequence && sequence <= before.position;

/**
 * The position mark from which to continue. Messages that were handled under this epoch are not handled again, unless a seek has moved the
 * position back.
 */
function markOf({ before }: Takeover, position: PositionMark): PositionMark {
  if (!before || position.sequence < before.status.committed) return position;
  const { position: sequence, mark } = before.status;
  if (sequence <= position.sequence) return position;
  return mark?.sequence === sequence ? mark : { sequence, created: mark?.created };
}
