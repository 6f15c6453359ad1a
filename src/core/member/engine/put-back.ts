import type { Clock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import {
  encodeRecord,
  type PositionRecord,
  RECORD_VERSION,
  type StartRecord,
} from '../../protocol/records.js';
import type { GroupStart } from '../partition/group-start.js';

/** How far a partition was handled and committed here. */
export interface Known extends PositionMark {
  partition: number;
}

/** What a member puts back works with. */
export interface AnewPorts {
  bucket: Bucket;
  layout?: LayoutKeeper | undefined;
  clock: Clock;
  /** Where nothing was answered it is tried again after this, milliseconds. */
  retryMs: number;
  /** True when it is no longer needed. */
  isOver: () => boolean;
  fail: (error: NatspocError) => void;
}

/**
 * Puts back into a bucket that has gone back what only its members know: the layout, where the group started, and the
 * positions of what was owned here. What the bucket has stays. Such a position is nobody's (epoch 0), so that each owner to
 * come can take it over, also where revisions begin at 1 again.
 */
export async function putBack(
  group: string,
  start: GroupStart,
  known: readonly Known[],
  ports: AnewPorts,
): Promise<void> {
  const { bucket, layout } = ports;
  if (layout) await untilKnown(() => layout.keep(), ports);
  const put = (key: string, record: PositionRecord | StartRecord): Promise<void> =>
    untilKnown(() => bucket.write(key, encodeRecord(record), 0), ports);
  const at = new Date().toISOString();
  if (start !== 'unreadable') {
    const { seq, created, stored } = start;
    await put(keys.start(group), { v: RECORD_VERSION, seq, at, created, stored });
  }
  for (const { partition, sequence: seq, created, stored } of known)
    await put(keys.position(group, partition), { v: RECORD_VERSION, seq, epoch: 0, at, created, stored });
}

type Outcome = { kind: 'ok' | 'conflict' | 'unknown' } | { kind: 'failed'; error: NatspocError };

/** Asks until there is an answer. */
async function untilKnown(ask: () => Promise<Outcome>, ports: AnewPorts): Promise<void> {
  const { clock, retryMs, isOver, fail } = ports;
  while (!isOver()) {
    const outcome = await ask();
    if (outcome.kind === 'failed') fail(outcome.error);
    if (outcome.kind !== 'unknown') return;
    await new Promise<void>((resolve) => void clock.at(clock.now() + retryMs, resolve));
  }
}
