import { type Clock, sleep } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import {
  decodePosition,
  type PositionRecord,
  positionTags,
  type StartRecord,
} from '../../protocol/position-records.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import { encodeRecord } from '../../protocol/records.js';
import type { GroupStart } from '../partition/group-start.js';

/** The position that this member last committed in a partition. */
export interface Known extends PositionMark {
  partition: number;
}

/** The dependencies of {@link putBack}. */
export interface AnewPorts {
  group: string;
  bucket: Bucket;
  layout?: LayoutKeeper | undefined;
  clock: Clock;
  /** Delay before a retry, in milliseconds. */
  retryMs: number;
  /** True when the member has ended. */
  isOver: () => boolean;
  fail: (error: NatspocError) => void;
}

/**
 * Writes lost entries of the bucket again: the layout, the group's start, and the positions of partitions that this member owned. Only
 * running members know the contents of the lost entries. Existing entries are not changed, except the positions that
 * {@link putBackPositions} replaces.
 */
export async function putBack(
  start: GroupStart,
  layoutEpoch: number,
  known: readonly Known[],
  ports: AnewPorts,
): Promise<void> {
  const { group, layout } = ports;
  if (layout) await untilKnown(() => layout.keep(), ports);
  if (start !== 'unreadable') {
    const { seq, key, created, stored } = start;
    await put(keys.start(group), { v: RECORD_VERSION, seq, key, at: now(), created, stored }, ports);
  }
  await putBackPositions(layoutEpoch, known, ports);
}

/**
 * Writes positions again that the bucket has lost. They get epoch 0. Any later owner can take them over, even if revisions start at 1
 * again. An existing position is replaced only if it is lower and another member wrote it back.
 */
export async function putBackPositions(
  layoutEpoch: number,
  known: readonly Known[],
  ports: AnewPorts,
): Promise<void> {
  for (const { partition, sequence: seq, created, stored } of known)
    await putPosition(
      keys.position(ports.group, partition),
      { ...positionTags(layoutEpoch), seq, epoch: 0, at: now(), created, stored },
      ports,
    );
}

async function putPosition(key: string, record: PositionRecord, ports: AnewPorts): Promise<void> {
  if (!(await put(key, record, ports))) await untilKnown(() => raise(key, record, ports.bucket), ports);
}

/** Replaces a lower position that another member has written back. */
async function raise(key: string, record: PositionRecord, bucket: Bucket): Promise<Outcome> {
  const found = await bucket.read(key);
  if (found.kind === 'unknown' || found.kind === 'failed') return found;
  if (found.kind === 'missing' || !found.entry.value) return { kind: 'ok' };
  const position = decodePosition(found.entry.value);
  if (position?.epoch !== 0 || position.sought) return { kind: 'ok' };
  if (position.layout !== record.layout || position.seq >= record.seq) return { kind: 'ok' };
  return bucket.write(key, encodeRecord(record), found.entry.revision);
}

const now = (): string => new Date().toISOString();

/** Resolves with false if the entry already exists. */
const put = (key: string, record: PositionRecord | StartRecord, ports: AnewPorts): Promise<boolean> =>
  untilKnown(() => ports.bucket.write(key, encodeRecord(record), 0), ports);

type Outcome = { kind: 'ok' | 'conflict' | 'unknown' } | { kind: 'failed'; error: NatspocError };

/** Resolves with false after a conflict. */
async function untilKnown(ask: () => Promise<Outcome>, ports: AnewPorts): Promise<boolean> {
  const { clock, retryMs, isOver, fail } = ports;
  while (!isOver()) {
    const outcome = await ask();
    if (outcome.kind === 'failed') fail(outcome.error);
    if (outcome.kind !== 'unknown') return outcome.kind !== 'conflict';
    await sleep(clock, retryMs);
  }
  return true;
}
