import { type Clock, sleep } from '../lib/clock.js';
import { NatspocError } from '../lib/errors.js';
import type { PartitionStatus } from './engine/contract.js';

/** Interval between checks, in milliseconds. Takeovers by other members cause no event at this member. */
const LOOK_EVERY_MS = 50;

interface Becoming {
  readonly isSettled: boolean;
  readonly partitions: readonly Pick<PartitionStatus, 'state'>[];
}

/**
 * Resolves when every partition of the group has an owner, and this member has taken over its share.
 *
 * @param ended settles when the member has ended.
 * @throws NatspocError the error that ended the member, or `failed` if the member left before it was ready.
 */
export async function untilReady(member: Becoming, ended: Promise<void>, clock: Clock): Promise<void> {
  let isOver = false;
  const over = ended.finally(() => {
    isOver = true;
  });
  // After the member is ready, a failure is reported by `closed`, not by this function.
  over.catch(() => {});
  while (!isOver) {
    const isTaken = member.partitions.every(({ state }) => state !== 'starting' && state !== 'waiting');
    if (member.isSettled && isTaken) return;
    await sleep(clock, LOOK_EVERY_MS);
  }
  await over;
  throw new NatspocError('failed', 'The member left before it was ready.');
}
