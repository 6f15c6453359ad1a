import { mapConcurrently } from '../lib/concurrently.js';
import { messageOf, NatspocError } from '../lib/errors.js';
import { withoutStop } from '../lib/text.js';
import { whyUnanswered } from '../lib/unanswered.js';
import type { Bucket } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import { startsAt } from '../protocol/partition-start.js';
import { decodePosition, positionTags } from '../protocol/position-records.js';
import { unreadableAs } from '../protocol/record-format.js';
import { encodeRecord } from '../protocol/records.js';
import { type FoundLayout, findGroupLayout } from './group-layout.js';
import { changeOverride, readOverride } from './overrides.js';
import { type PausingPorts, untilNotHandled } from './pausing.js';
import type { SeekPlanner } from './seek-planner.js';
import type { SeekStep } from './seek-target.js';

const CONCURRENT_WRITES = 16;

/** The ports and settings of a seek. */
export interface SeekPorts extends SeekPlanner, PausingPorts {
  bucket: Bucket;
  group: string;
  /** The operator's name, for display. */
  by: string;
  /** How long owners may take to drain, in milliseconds. */
  waitMs: number;
}

/** The outcome of a seek for one partition. If the position was not moved, `message` is the reason. */
export interface SeekOutcome extends SeekStep {
  moved: boolean;
  message: string | null;
}

/**
 * Moves positions under the protocol. First the partitions are paused, so that their owners drain and commit. Then each position is written
 * by compare-and-set under the epoch of its lease. This fences previous owners. Finally the pause is lifted, and the owner reads the new
 * position. Partitions that were paused before the seek stay paused.
 */
export async function seekPositions(ports: SeekPorts, partitions: readonly number[]): Promise<SeekOutcome[]> {
  const { bucket, group, by, waitMs } = ports;
  const found = await findGroupLayout(bucket, group);
  if (found?.layout.next)
    throw new NatspocError(
      'failed',
      `Group ${group} is being resized. Seek after the resize is done; "natspoc leases" shows its progress.`,
    );
  /** The partitions that this seek has paused, or may have paused. */
  const own = new Set<number>();
  try {
    await mapConcurrently(partitions, CONCURRENT_WRITES, async (partition) => {
      const mayBePaused = (): void => void own.add(partition);
      const before = await changeOverride(bucket, group, partition, { paused: true }, by, mayBePaused);
      if (before.paused) own.delete(partition);
      else own.add(partition);
    });
    const unfinished = await untilNotHandled(ports, partitions, waitMs);
    return await mapConcurrently(partitions, CONCURRENT_WRITES, async (partition) => {
      const reason = unfinished.get(partition) ?? (ports.signal?.aborted ? 'interrupted' : undefined);
      if (reason !== undefined) return notMoved(partition, reason);
      return writePosition(ports, partition, found);
    });
  } finally {
    await liftPauses(ports, [...own]);
  }
}

/** Tries to lift all pauses, even if one attempt fails. */
async function liftPauses({ bucket, group, by }: SeekPorts, partitions: readonly number[]): Promise<void> {
  const left = new Map<number, unknown>();
  await mapConcurrently(partitions, CONCURRENT_WRITES, async (partition) => {
    await changeOverride(bucket, group, partition, { paused: false }, by).catch((error: unknown) =>
      left.set(partition, error),
    );
  });
  if (left.size === 0) return;
  const [cause] = left.values();
  const which = [...left.keys()].sort((a, b) => a - b).join(' ');
  throw new NatspocError(
    cause instanceof NatspocError ? cause.code : 'failed',
    `Partitions may still be paused: ${which}. ${messageOf(cause)} "natspoc leases resume ${which}" lifts the pause.`,
    { cause },
  );
}

const notMoved = (partition: number, message: string): SeekOutcome => ({
  partition,
  from: null,
  to: 0,
  skipped: 0,
  repeated: 0,
  countIsEstimate: false,
  moved: false,
  message: withoutStop(message),
});

async function writePosition(
  { bucket, group, follower, plan, mark }: SeekPorts,
  partition: number,
  layout: FoundLayout | undefined,
): Promise<SeekOutcome> {
  const key = keys.position(group, partition);
  const found = await bucket.read(key);
  if (found.kind === 'failed') return notMoved(partition, found.error.message);
  if (found.kind === 'unknown')
    return notMoved(partition, whyUnanswered(found, 'its position could not be read in time'));
  const value = found.kind === 'found' ? found.entry.value : null;
  const position = value ? decodePosition(value) : undefined;
  if (value && !position && unreadableAs(value) === 'newer') {
    return notMoved(
      partition,
      'its position was written by a newer version of natspoc, so it was not changed',
    );
  }
  // If the partition was already resumed, its owner may be working, so nothing is written. If it is resumed after this check, its owner
  // writes the position, and our write fails.
  const { record: wanted } = await readOverride(bucket, keys.override(group, partition));
  if (!wanted?.paused) return notMoved(partition, 'another operator resumed it meanwhile');
  const epochOfLayout = layout?.layout.epoch ?? 0;
  const isCurrent = position && (position.layout ?? 0) === epochOfLayout;
  const start = layout?.layout.before && { sequence: startsAt(partition, layout.layout) };
  const from = isCurrent ? { ...position, sequence: position.seq } : start;
  const step = await plan(partition, value && !position ? 'unreadable' : (from ?? null));
  const { created, stored } = await mark(step.to);
  // The epoch is never lower than the stored epoch, so an older owner notices that it is fenced. Epoch 0 marks a position that a member
  // wrote back after a loss. A member with a later position would replace it, so the epoch is at least 1.
  const epoch = Math.max(1, follower.epochOf(partition), position?.epoch ?? 0);
  const at = new Date().toISOString();
  const reader = position?.epoch === epoch ? position.reader : undefined;
  const tags = positionTags(epochOfLayout, true);
  const record = { ...tags, seq: step.to, epoch, at, reader, created, stored };
  const revision = found.kind === 'found' ? found.entry.revision : 0;
  const written = await bucket.write(key, encodeRecord(record), revision);
  switch (written.kind) {
    case 'ok':
      // If the layout changed, the resize may have used the old position.
      if ((await findGroupLayout(bucket, group))?.revision !== layout?.revision)
        return notMoved(partition, 'the group was resized meanwhile: check its positions, and seek again');
      return { ...step, moved: true, message: null };
    case 'conflict':
      return notMoved(partition, 'its position was moved by another operator meanwhile');
    case 'unknown':
      return notMoved(
        partition,
        whyUnanswered(written, 'the server did not confirm the change in time: check with "natspoc leases"'),
      );
    case 'failed':
      return notMoved(partition, written.error.message);
  }
}
