import type { WorldSettings } from '../world.js';
import type { Fault } from './fault.js';
import { purge } from './trimming.js';

/** While members try to find a poisonous message, the stream drops it with this probability. */
const DROPPED = 0.4;

/** Within this time, a poisonous message ends as many processes as it can. Returns milliseconds. */
export const poisonMs = ({ ttlMs, drainTimeoutMs }: WorldSettings): number =>
  5 * (ttlMs * 1.2 + drainTimeoutMs + 2_000);

/**
 * A stored message ends each process that handles it. Another process starts each time. New layouts reset the counts, so the fault is not
 * combined with them.
 */
export const poison: Fault = (world, member) => {
  const { random, settings, timeline, server, judge } = world;
  const owned = random.oneOf(member.member.status.partitions);
  if (!owned || world.poison.isActive || settings.resizing || server.consumers.isSlow) return 0;
  for (let i = random.int(0, 5); i > 0; i--) world.store(owned.partition);
  const sequence = server.log.last + 1;
  const dropAt = !settings.aging && random.chance(DROPPED) ? random.int(2, 4) : 0;
  world.poison.add(sequence, (deaths) => {
    if (deaths !== dropAt) return;
    timeline.after(random.between(0, 500), () => {
      judge.note('the stream drops the poisonous message');
      purge(world, sequence);
    });
  });
  world.store(owned.partition);
  return poisonMs(settings);
};
