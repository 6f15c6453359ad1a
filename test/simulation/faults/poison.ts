import type { Fault } from './fault.js';

/** A message is stored that ends each process that handles it; another process starts each time. */
export const poison: Fault = (world, member) => {
  const { random, settings } = world;
  const owned = random.oneOf(member.member.partitions);
  if (!owned || world.poison.isActive) return 0;
  for (let i = random.int(0, 5); i > 0; i--) world.store(owned.partition);
  world.poison.add(world.server.log.last + 1);
  world.store(owned.partition);
  return 5 * (settings.ttlMs * 1.2 + settings.drainTimeoutMs + 2_000);
};
