import { setTimeout as sleep } from 'node:timers/promises';
import { escapeControl } from '../lib/text.js';
import type { Bucket } from '../ports/index.js';
import type { GroupObserver } from '../ports/observer.js';
import type { GroupFollower } from './follower.js';
import type { PauseOutcome } from './group-admin-contract.js';
import { changeOverrides } from './overrides.js';
import { ANSWER_MS } from './thresholds.js';

/** How often the owners are asked for their state, in milliseconds. */
const ASK_EVERY_MS = 50;

/** The ports of {@link untilNotHandled}. */
export interface PausingPorts {
  observer: Pick<GroupObserver, 'stats'>;
  follower: GroupFollower;
  signal?: AbortSignal;
}

/** Pauses partitions, and waits at most `waitMs` until their handlers have stopped. `paused` false: resumes them. */
export async function pausePartitions(
  ports: PausingPorts & { bucket: Bucket; group: string },
  partitions: readonly number[],
  { paused, by, waitMs }: { paused: boolean; by: string; waitMs: number },
): Promise<PauseOutcome> {
  const before = await changeOverrides(ports.bucket, ports.group, partitions, { paused }, by);
  const changed = partitions.filter((partition) => before.get(partition)?.paused !== paused);
  if (!paused) return { changed, unfinished: new Map() };
  return { changed, unfinished: await untilNotHandled(ports, partitions, waitMs) };
}

/**
 * Waits until each partition is reported as paused, or has no owner.
 *
 * @returns the partitions that have not stopped in time, each with the reason.
 */
export async function untilNotHandled(
  { observer, follower, signal }: PausingPorts,
  partitions: readonly number[],
  waitMs: number,
): Promise<Map<number, string>> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const owners = new Set(partitions.flatMap((partition) => follower.ownerOf(partition) ?? []));
    const { members } = await observer.stats([...owners], ANSWER_MS);
    const answers = new Map(members.map((each) => [each.session, each]));
    const unfinished = new Map<number, string>();
    for (const partition of partitions) {
      const owner = follower.ownerOf(partition);
      if (owner === null) continue;
      const name = escapeControl(follower.ownerNameOf(partition) ?? owner);
      const own = answers.get(owner)?.partitions.find((each) => each.partition === partition);
      if (!answers.has(owner)) {
        // An owner without a session handles nothing. If two members leave at the same time, a lease may still name such an owner.
        if (follower.sessions.has(owner)) unfinished.set(partition, `its owner ${name} does not answer`);
      } else if (own?.epoch !== follower.epochOf(partition) || own?.state !== 'paused') {
        unfinished.set(partition, `its owner ${name} is still ${own?.state ?? 'taking over'}`);
      }
    }
    if (unfinished.size === 0 || signal?.aborted || performance.now() >= deadline) return unfinished;
    await sleep(ASK_EVERY_MS);
  }
}
