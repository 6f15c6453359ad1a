import { type Clock, sleep } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import { type PositionRecord, positionTags, type StartRecord } from '../../protocol/position-records.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import { encodeRecord } from '../../protocol/records.js';
import type { GroupStart } from '../partition/group-start.js';

/** How far a partition was handled and committed here. */
export interface Known extends PositionMark {
  partition: number;
}

/** The dependencies of {@link putBack}. */
export interface AnewPorts {
  bucket: Bucket;
  layout?: LayoutKeeper | undefined;
  clock: Clock;
  /** Delay before a retry, in milliseconds. */
  retryMs: number;
  /** True when the member has ended, so that nothing needs to be written back. */
  isOver: () => boolean;
  fail: (error: NatspocError) => void;
}

/**
 * Writes entries again that the bucket has lost and whose contents only running members know: the layout, the group's start, and the
 * positions of partitions owned here. Existing entries are not changed. A position gets epoch 0, so that any later owner can take it
 * over, even if revisions start at 1 again.
 */
export async function putBack(
  group: string,
  start: GroupStart,
  layoutEpoch: number,
  known: readonly Known[],
  ports: AnewPorts,
): Promise<void> {
  const { bucket, layout } = ports;
  if (layout) await untilKnown(() => layout.keep(), ports);
  const put = (key: string, record: PositionRecord | StartRecord): Promise<void> =>
    untilKnown(() => bucket.write(key, encodeRecord(record), 0), ports);
  const at = new Date().toISOString();
  if (start !== 'unreadable') {
    const { seq, key, created, stored } = start;
    await put(keys.start(group), { v: RECORD_VERSION, seq, key, at, created, stored });
  }
  for (const { partition, sequence: seq, created, stored } of known)
    await put(keys.position(group, partition), {
      ...positionTags(layoutEpoch),
      seq,
      epoch: 0,
      at,
      created,
      stored,
    });
}

type Outcome = { kind: 'ok' | 'conflict' | 'unknown' } | { kind: 'failed'; error: NatspocError };

async function untilKnown(ask: () => Promise<Outcome>, ports: AnewPorts): Promise<void> {
  const { clock, retryMs, isOver, fail } = ports;
  while (!isOver()) {
    const outcome = await ask();
    if (outcome.kind === 'failed') fail(outcome.error);
    if (outcome.kind !== 'unknown') return;
    await sleep(clock, retryMs);
  }
}
