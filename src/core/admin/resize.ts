import { NatspocError } from '../lib/errors.js';
import { unanswered } from '../lib/unanswered.js';
import { countOf } from '../lib/units.js';
import type { Bucket } from '../ports/index.js';
import type { GroupObserver } from '../ports/observer.js';
import { keys } from '../protocol/keys.js';
import { KEY_HEADER } from '../protocol/layout.js';
import { type GroupLayoutRecord, hasOwnPartitions } from '../protocol/layout-records.js';
import { behindResize, settledAt } from '../protocol/partition-start.js';
import { MAX_PARTITIONS, RESIZED_VERSION, versionIn } from '../protocol/record-format.js';
import { encodeRecord } from '../protocol/records.js';
import type { GroupFollower } from './follower.js';
import { type FoundLayout, findGroupLayout, positionsNow } from './group-layout.js';
import { changeOverride } from './overrides.js';

/** The numbers of partitions before and after a resize, and its effects on pins and pauses. */
export interface ResizePlan {
  from: number;
  to: number;
  /**
   * Partitions whose pins and pauses are removed, because they will no longer exist or will be new. A new partition can have an old pin or
   * pause from an earlier resize.
   */
  dropped: number[];
  /** Pinned or paused partitions whose numbers also exist after the resize. Their pins and pauses then apply to other messages. */
  kept: number[];
  /** True if all partitions are paused. Then all new partitions are paused, too. */
  paused: boolean;
}

/** The outcome of a resize. `waiting`: the resize was requested, but is not done yet. */
export type ResizeOutcome = ResizePlan & {
  outcome: 'resized' | 'unchanged' | 'waiting' | 'aborted';
  tookMs: number;
};

/** The ports that {@link resizeGroup} uses. */
export interface ResizePorts {
  bucket: Bucket;
  group: string;
  observer: Pick<GroupObserver, 'positions'>;
  follower: GroupFollower;
  /** The operator's name, for display. */
  by: string;
  /** The stream's own layout; absent for a keyed group. */
  own?: { prefix: string; filter: string; partitions: number } | undefined;
}

/**
 * Plans a resize, and changes nothing.
 *
 * @throws NatspocError `failed` if a resize is not possible now.
 */
export async function planResize(ports: ResizePorts, to: number): Promise<ResizePlan> {
  const { layout } = await readLayout(ports);
  return plan(ports, layout, to);
}

/** Requests a resize, and waits at most `waitMs` until the members have completed it. */
export async function resizeGroup(
  ports: ResizePorts,
  to: number,
  waitMs: number,
  signal?: AbortSignal,
): Promise<ResizeOutcome> {
  const startedAt = performance.now();
  const { bucket, group, follower, by } = ports;
  const found = await readLayout(ports);
  const planned = await plan(ports, found.layout, to);
  const outcome = (how: ResizeOutcome['outcome']): ResizeOutcome => ({
    ...planned,
    outcome: how,
    tookMs: Math.round(performance.now() - startedAt),
  });
  if (to === found.layout.partitions && !found.layout.next) return outcome('unchanged');
  const isOrdered = found.layout.next?.partitions === to;
  // Change pins and pauses before the request. Otherwise a new partition that should be paused could start.
  for (const partition of planned.dropped)
    if (partition >= planned.from)
      await changeOverride(bucket, group, partition, { paused: false, pin: null }, by);
  if (planned.paused)
    for (let partition = planned.from; partition < to; partition++)
      await changeOverride(bucket, group, partition, { paused: true, pin: null }, by);
  let revision = found.revision;
  if (!isOrdered) {
    const next = { partitions: to, by, at: new Date().toISOString() };
    revision = await write(ports, { ...found.layout, v: RESIZED_VERSION, next }, found.revision);
  }
  const epochBefore = found.layout.epoch ?? 0;
  const seen = (): GroupLayoutRecord | undefined => {
    const { layout } = follower;
    if (!layout || layout.revision < revision || layout.record === 'unreadable') return undefined;
    return layout.record ?? undefined;
  };
  const isOver = (): boolean => (seen()?.epoch ?? 0) > epochBefore || (seen() !== undefined && !seen()?.next);
  if (!(await follower.until(isOver, waitMs, signal))) return outcome('waiting');
  if ((seen()?.epoch ?? 0) === epochBefore) return outcome('aborted');
  for (const partition of planned.dropped)
    await changeOverride(bucket, group, partition, { paused: false, pin: null }, by);
  return outcome('resized');
}

/**
 * Withdraws an unfinished resize. Members then handle the closed partitions again.
 *
 * @returns the requested number of partitions; null if there was no resize.
 */
export async function abortResize(ports: ResizePorts): Promise<number | null> {
  const { layout, revision } = await readLayout(ports);
  const { next, ...rest } = layout;
  if (!next) return null;
  const v = hasOwnPartitions(rest) ? RESIZED_VERSION : versionIn(rest.epoch ?? 0);
  await write(ports, { ...rest, v }, revision);
  return next.partitions;
}

async function plan(ports: ResizePorts, layout: GroupLayoutRecord, to: number): Promise<ResizePlan> {
  const { follower, group } = ports;
  const { partitions: from, next } = layout;
  if (!Number.isInteger(to) || to < 1 || to > MAX_PARTITIONS)
    throw new NatspocError('usage', `A group has 1 to ${MAX_PARTITIONS} partitions, not ${to}.`);
  if (next && next.partitions !== to)
    throw new NatspocError(
      'failed',
      `Group ${group} is being resized to ${next.partitions} partitions by ${next.by}. Wait until this resize is done, or withdraw it with "natspoc leases resize --abort".`,
    );
  await checkSettled(ports, layout);
  const old = [...follower.sessions.values()].find(({ record }) => record !== null && !record.resizes);
  if (old)
    throw new NatspocError(
      'failed',
      `Member ${old.record?.name} runs version ${old.record?.version}, which does not support a resize. Update this member first.`,
    );
  const wished = [...follower.overrides.keys()].filter(
    (partition) => follower.overrideOf(partition) !== null,
  );
  wished.sort((a, b) => a - b);
  const paused = Array.from({ length: from }, (_, p) => follower.overrideOf(p)?.paused).every(
    (each) => each === true,
  );
  return {
    from,
    to,
    dropped: wished.filter((partition) => partition >= (paused ? to : Math.min(from, to))),
    kept: wished.filter((partition) => partition < from && partition < to),
    paused,
  };
}

/**
 * Checks that no partition still depends on the partitions from before the last resize. The layout stores only one earlier layout, so the
 * next resize must wait.
 *
 * @throws NatspocError `failed` if a partition still depends on earlier partitions.
 */
async function checkSettled({ observer, group }: ResizePorts, layout: GroupLayoutRecord): Promise<void> {
  if (!layout.before) return;
  const known = positionsNow(await observer.positions(), layout, Date.now());
  const positions = new Map(known.map((each) => [each.partition, each]));
  const behind = behindResize(layout, positions);
  const [first] = behind;
  if (first === undefined) return;
  throw new NatspocError(
    'failed',
    `Group ${group} has not finished its last resize: ${countOf(behind.length, 'partition')} (p${first}, position ${positions.get(first)?.sequence ?? 'none'}) ` +
      `must first handle the messages up to sequence ${settledAt(first, layout)}. Try again after that; "natspoc leases" shows the positions.`,
  );
}

/**
 * The layout of the group. A group with the stream's own layout stores none before its first resize. The resize makes it a keyed group over
 * the same subjects. Its key is the header that publishers write.
 */
async function readLayout({ bucket, group, own }: ResizePorts): Promise<FoundLayout> {
  const found = await findGroupLayout(bucket, group);
  if (found) return found;
  if (!own) throw new NatspocError('failed', `Group ${group} has no layout: start a member with its key.`);
  const { prefix, filter, partitions } = own;
  const entry = await bucket.read(keys.groupLayout(group));
  return {
    layout: { v: RESIZED_VERSION, key: `header:${KEY_HEADER}`, filter, partitions, hash: 'fnv1a32', prefix },
    // A deleted entry has a revision too.
    revision: entry.kind === 'found' ? entry.entry.revision : 0,
  };
}

/** @throws NatspocError if the layout is not written, for example because it was changed meanwhile. */
async function write(
  { bucket, group }: ResizePorts,
  layout: GroupLayoutRecord,
  expected: number,
): Promise<number> {
  const key = keys.groupLayout(group);
  const written = await bucket.write(key, encodeRecord(layout), expected);
  if (written.kind === 'ok') return written.revision;
  if (written.kind === 'failed') throw written.error;
  if (written.kind === 'unknown') throw unanswered(`write ${key}`, written);
  throw new NatspocError(
    'failed',
    `The layout of group ${group} was changed meanwhile. Check it with "natspoc leases", and try again.`,
  );
}
