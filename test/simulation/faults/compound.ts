import { keys } from '../../../src/core/protocol/keys.js';
import { decodeLease } from '../../../src/core/protocol/records.js';
import { LIFT_MS, restore } from './bucket.js';
import { altered, type Fault } from './fault.js';

/** The plan changes back while handovers are still in flight. Their outcome is unknown, and members see them late. */
export const indecision: Fault = (world) => {
  const { random, timeline, active } = world;
  const [forMs, delayMs] = [random.between(500, 3_000), random.between(500, 6_000)];
  for (const { client } of active) {
    const { bucket } = client;
    altered(world, forMs, bucket.writeFaults, { delay: 1, delayMs }, { delay: 0 });
    altered(
      world,
      forMs + delayMs,
      bucket.watchFaults,
      { delayMs: random.between(0, 2_000) },
      { delayMs: 0 },
    );
  }
  world.join();
  const other = random.oneOf(active);
  timeline.after(random.between(300, forMs), () =>
    random.chance(0.5) ? other?.leave() : other?.crash(true),
  );
  return forMs + delayMs + 2_000;
};

/**
 * A member gets a snapshot that is older than its own handovers. Slow handlers make the handovers take long. Meanwhile the member's watch
 * restarts, and its snapshot is delayed. The next owner's process pauses, so it takes over late.
 */
export const oldSnapshot: Fault = (world, { client: { bucket }, profile }) => {
  const { random, timeline, settings } = world;
  const joiner = world.join();
  timeline.after(random.between(150, 400), () => joiner.pause(4_000));
  timeline.after(random.between(150, 400), () => {
    altered(world, 1_000, bucket.watchFaults, { delayMs: 3_000 }, { delayMs: 0 });
    bucket.cutWatch();
  });
  altered(world, 2_000, profile, { atOnce: 0, long: 1, longMs: 2_000 }, settings.handlers);
  return 5_000;
};

/** A member joins and gets a partition within this time. */
const JOIN_MS = 2_500;

/**
 * A lease is handed over to a member that joins, and is lost before the new owner has seen the lease. Sometimes the former owner crashes
 * before it can write the lease again.
 */
export const unseenHandover: Fault = (world) => {
  const { random, timeline, server, settings } = world;
  if (world.harm === 'damage') return 0;
  world.harm = 'loss';
  const giverCrashes = random.chance(0.4);
  const { member, client } = world.join();
  const { watchFaults } = client.bucket;
  const unfollow = server.store.observe(({ key, value }) => {
    if (value === null || member.id === null) return;
    const lease = key.startsWith(keys.groupPrefix(settings.group)) ? decodeLease(value) : undefined;
    if (lease?.owner !== member.id) return;
    unfollow();
    // This observer is older than the watch of the new member, so the watch does not deliver this entry.
    watchFaults.lostChange = 1;
    world.lose((each) => each === key);
    const giver = world.active.find(({ name }) => name === lease.from);
    if (giverCrashes) timeline.after(random.between(10, 1_000), () => giver?.crash(true));
    // End the fault after the write of the lease has passed all watches.
    timeline.after(0, end);
  });
  const end = (): void => {
    unfollow();
    watchFaults.lostChange = 0;
  };
  timeline.after(JOIN_MS, end);
  return JOIN_MS;
};

/** A member without a connection is fenced within this time, and its partitions are claimed. */
const FENCED_MS = 1_200;

/** A member is fenced and replaced. Then the server restarts with a copy in which this member is alive, and it renews. */
export const fencedReturns: Fault = (world, { connection }) => {
  const { random, timeline, server, settings } = world;
  if (world.harm === 'damage') return 0;
  world.harm = 'loss';
  const copy = server.store.copy();
  const afterMs = random.between(FENCED_MS, settings.ttlMs * 1.3);
  const downMs = random.between(5, 100);
  connection.breakCleanly(afterMs);
  timeline.after(afterMs, () => restore(world, copy, downMs, 0));
  return afterMs + downMs + LIFT_MS;
};
