import { keys } from '../../../src/core/protocol/keys.js';
import { decodeGroupLayout, type GroupLayoutRecord } from '../../../src/core/protocol/layout-records.js';
import { decodePosition } from '../../../src/core/protocol/position-records.js';
import { decodeLease } from '../../../src/core/protocol/records.js';
import { type BucketChange, ERA, type History } from '../recording/history.js';
import type { Layouts } from './layouts.js';
import type { Violation } from './violation.js';

/**
 * I14: a layout is written only when every partition of the previous layout is closed. It contains the positions of these partitions. Once
 * it is written, nothing is committed or closed under the previous layout. While a server is down, the harness can miss that a partition is
 * closed.
 */
export function judgeResizes({ bucket, settings: { group } }: History, layouts: Layouts): Violation[] {
  const violations: Violation[] = [];
  const accuse = (at: number, text: string): void => void violations.push({ charge: 'resize', at, text });
  /** For each partition of the newest layout: the position at which it was closed. */
  const closed = new Map<number, number>();
  let layout: number | undefined;
  let era = 0;
  for (const change of [...bucket].sort((a, b) => a.revision - b.revision)) {
    const now = Math.floor(change.revision / ERA);
    // The bucket was restored from an older copy, so its entries were recorded again.
    if (now > era) layout = undefined;
    era = now;
    const seen = read(group, change);
    if (!seen) continue;
    if (seen.kind !== 'layout') {
      const what = `p${seen.partition} of layout ${seen.layout}`;
      if (seen.layout < (layout ?? 0))
        accuse(change.at, `${what} was ${seen.kind} after layout ${layout} had begun`);
      else if (seen.kind === 'closed') closed.set(seen.partition, seen.seq);
      continue;
    }
    const { epoch = 0, before } = seen.record;
    if (layout !== undefined && epoch > layout) {
      const wanted = layouts.all[epoch - 1]?.partitions;
      if (before?.partitions !== wanted)
        accuse(change.at, `layout ${epoch} names ${before?.partitions} earlier partitions, not ${wanted}`);
      for (const [partition, seq] of before?.positions.entries() ?? []) {
        const closedAt = closed.get(partition) ?? seq;
        if (closedAt !== seq)
          accuse(
            change.at,
            `layout ${epoch} has p${partition} at #${seq}, but p${partition} was closed at #${closedAt}`,
          );
      }
    }
    if (epoch !== layout) closed.clear();
    layout = epoch;
  }
  return violations;
}

type Seen =
  | { kind: 'layout'; record: GroupLayoutRecord }
  | { kind: 'closed' | 'committed'; partition: number; layout: number; seq: number };

function read(group: string, { key, value }: BucketChange): Seen | undefined {
  const bytes = value === null ? undefined : Buffer.from(value);
  if (!bytes) return undefined;
  const [partition, kind] = [Number(key.split('.').at(-1)), key.split('.').at(-2)];
  if (key === keys.groupLayout(group)) {
    const record = decodeGroupLayout(bytes);
    return record && { kind: 'layout', record };
  }
  if (kind === 'lease') {
    const { closed, layout = 0 } = decodeLease(bytes) ?? {};
    return closed && { kind: 'closed', partition, layout, seq: closed.seq };
  }
  const position = key.startsWith(keys.positionPrefix(group)) ? decodePosition(bytes) : undefined;
  return position && { kind: 'committed', partition, layout: position.layout ?? 0, seq: position.seq };
}
