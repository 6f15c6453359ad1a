import { keys } from '../../../src/core/protocol/keys.js';
import { decodePosition } from '../../../src/core/protocol/position-records.js';
import { type BucketChange, type Call, ERA, type History } from '../recording/history.js';
import { describeCall, describeTime } from './describe.js';
import type { Section } from './layouts.js';
import { Frontier, inTime, type PartitionLog } from './order.js';
import type { Violation } from './violation.js';

interface Position {
  at: number;
  seq: number;
  epoch: number;
  era: number;
}

/** The positions of one partition under a layout, in the order of their revisions in the bucket. */
function positionsOf(
  bucket: readonly BucketChange[],
  group: string,
  partition: number,
  layout: number,
): Position[] {
  const key = keys.position(group, partition);
  return bucket
    .filter((change) => change.key === key && change.value !== null)
    .sort((a, b) => a.revision - b.revision)
    .flatMap(({ at, value, revision }) => {
      const position = decodePosition(Buffer.from(value ?? '', 'utf8'));
      const era = Math.floor(revision / ERA);
      return position && (position.layout ?? 0) === layout
        ? [{ at, era, seq: position.seq, epoch: position.epoch + era * ERA }]
        : [];
    });
}

/**
 * I8: positions and their epochs never decrease. I2: a position never passes an unhandled message. The first call of an epoch is after the
 * position that the owner found.
 */
export function judgePositions(
  { settings, bucket }: History,
  { calls, epoch, isOwn }: Section,
  logs: readonly PartitionLog[],
): Violation[] {
  return calls.flatMap((list, partition) => {
    const positions = positionsOf(bucket, settings.group, partition, epoch);
    const log = logs[partition] as PartitionLog;
    return [
      ...judgeSteps(positions, partition),
      ...judgePassing(positions, list, partition, log),
      ...judgeBeginnings(positions, list.filter(isOwn), partition),
    ];
  });
}

function judgeSteps(positions: readonly Position[], partition: number): Violation[] {
  return positions.flatMap(({ at, seq, epoch, era }, i) => {
    const before = positions[i - 1];
    if (!before || before.era < era || (seq >= before.seq && epoch >= before.epoch)) return [];
    const text = `the position of p${partition} goes from #${before.seq} at epoch ${before.epoch} to #${seq} at epoch ${epoch}`;
    return [{ charge: 'position', at, partition, text } satisfies Violation];
  });
}

function judgePassing(
  positions: readonly Position[],
  calls: readonly Call[],
  partition: number,
  { sequences }: PartitionLog,
): Violation[] {
  const violations: Violation[] = [];
  const index = new Map(sequences.map((seq, i) => [seq, i]));
  const frontier = new Frontier(sequences.length);
  const ends = [...inTime(calls)].filter(({ ends: isEnd }) => isEnd).map(({ call }) => call);
  let next = 0;
  // The harness sees entries in the order of commits. It can see an entry late, but never early.
  for (const { at, seq } of [...positions].sort((a, b) => a.at - b.at)) {
    for (; (ends[next]?.to ?? Number.POSITIVE_INFINITY) <= at; next++) {
      const call = ends[next] as Call;
      const at = index.get(call.seq);
      if (call.how === 'handled' && at !== undefined) frontier.handled(at);
    }
    const open = sequences[frontier.next];
    if (open === undefined || open > seq) continue;
    const text = `the position of p${partition} is #${seq} at ${describeTime(at)}, but #${open} was not handled`;
    violations.push({ charge: 'position', at, partition, text });
  }
  return violations;
}

function judgeBeginnings(
  positions: readonly Position[],
  calls: readonly Call[],
  partition: number,
): Violation[] {
  const begun = new Set<number>();
  return calls.flatMap((call) => {
    if (begun.has(call.epoch)) return [];
    begun.add(call.epoch);
    // A new epoch fences all commits of older epochs, so they came before it.
    const before = positions
      .filter(({ epoch, era }) => epoch < call.epoch && era === Math.floor(call.epoch / ERA))
      .map(({ seq }) => seq);
    const committed = Math.max(0, ...before);
    if (call.seq > committed) return [];
    const text = `${describeCall(call)} is the first of its epoch, but #${committed} was committed before`;
    return [{ charge: 'repeat', at: call.from, partition, text } satisfies Violation];
  });
}
