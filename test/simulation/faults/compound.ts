import { altered, type Fault } from './fault.js';

/** The plan changes back while handovers are in flight with unknown outcome, and are seen late. */
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
 * A snapshot that is older than the member's own handovers. Handlers are slow, so handovers take a long time. Meanwhile the watch
 * restarts, and its snapshot is delayed. The next owner is stopped, and takes over late.
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
