import type { StoreCopy } from '../model/store.js';
import type { World } from '../world.js';
import { altered, type Fault } from './fault.js';
import { liftAll, pause } from './operator.js';

export const lostAnswers: Fault = (
  world,
  {
    client: {
      bucket: { writeFaults: faults },
    },
  },
) => {
  const { random, settings } = world;
  const loseAnswer = random.between(0.2, 0.9);
  return altered(world, random.between(500, settings.ttlMs), faults, { loseAnswer }, { loseAnswer: 0 });
};

/** Writes are applied late. The last ones are applied after the end of the fault. */
export const lateWrites: Fault = (
  world,
  {
    client: {
      bucket: { writeFaults: faults },
    },
  },
) => {
  const { random, settings } = world;
  const late = { delay: random.between(0.2, 0.9), delayMs: random.between(100, 8_000) };
  return altered(world, random.between(500, settings.ttlMs), faults, late, { delay: 0 }) + late.delayMs;
};

export const wrongConflicts: Fault = (
  world,
  {
    client: {
      bucket: { writeFaults: faults },
    },
  },
) => {
  const { random, settings } = world;
  const conflict = random.between(0.1, 0.8);
  return altered(world, random.between(500, settings.ttlMs), faults, { conflict }, { conflict: 0 });
};

/** At first, answers are late or missing. Then no write succeeds any more. Reads still work. */
export const failingDisk: Fault = (
  world,
  {
    client: {
      bucket: { writeFaults: faults },
    },
  },
) => {
  const { random, timeline, settings } = world;
  const slowMs = random.between(500, settings.ttlMs * 0.6);
  faults.delayMs = settings.ttlMs / 5;
  if (random.chance(0.5)) faults.slowAnswer = 0.9;
  else faults.loseAnswer = 0.8;
  timeline.after(slowMs, () => {
    faults.slowAnswer = 0;
    faults.loseAnswer = 0;
    faults.blocked = true;
  });
  const forMs = slowMs + settings.ttlMs * random.between(0.3, 1.6);
  timeline.after(forMs, () => {
    faults.blocked = false;
  });
  return forMs;
};

export const blockedWrites: Fault = (
  world,
  {
    client: {
      bucket: { writeFaults: faults },
    },
  },
) => {
  const forMs = world.settings.ttlMs * world.random.between(0.2, 1.6);
  return altered(world, forMs, faults, { blocked: true }, { blocked: false });
};

export const lateWatch: Fault = (
  world,
  {
    client: {
      bucket: { watchFaults },
    },
  },
) => {
  const { random } = world;
  const delayMs = random.between(50, 3_000);
  return altered(world, random.between(500, 8_000), watchFaults, { delayMs }, { delayMs: 0 }) + delayMs;
};

/** How long a watch is silent. A watch detects silence sooner than that. */
const SILENT_WATCH_MS = 6_000;

export const silentWatch: Fault = (world, { client: { bucket } }) => {
  bucket.muteWatch(world.random.pick(['deliveries', 'everything']));
  return SILENT_WATCH_MS;
};

/** The watch restarts. For some time the server omits an entry from most snapshots. */
export const holedSnapshots: Fault = (world, { client: { bucket } }) => {
  bucket.cutWatch();
  return altered(world, world.random.between(500, 8_000), bucket.watchFaults, { hole: 0.8 }, { hole: 0 });
};

/**
 * The limit of consumers is reached, so for some time a lost watch cannot be replaced. Joining members are spared: without a watch they may
 * end with an error.
 */
export const noMoreWatches: Fault = (world) => {
  const { random, active } = world;
  const forMs = random.between(500, 8_000);
  for (const { hasJoined, client } of active) {
    if (!hasJoined) continue;
    altered(world, forMs, client.bucket.watchFaults, { isRefused: true }, { isRefused: false });
    if (random.chance(0.5)) client.bucket.cutWatch();
  }
  return forMs;
};

/** Kinds of entries that are removed from the bucket. As in a purge, deletion markers of sessions are removed, too. */
const LOSSES = [/./, /^alive\./, /\.session\./, /\.lease\./, /^position\./] as const;

/** Removes entries of one or all kinds from the bucket: all of these entries, or a part of them. */
export const losses: Fault = (world) => {
  const { random } = world;
  if (world.harm === 'damage') return 0;
  world.harm = 'loss';
  const kind = random.oneOf(LOSSES);
  const share = random.pick([1, 1, 0.3]);
  world.lose((key) => kind?.test(key) === true && random.chance(share));
  return 0;
};

/** An operator removes restored overrides this long after the restore of an older copy, in milliseconds. */
export const LIFT_MS = 5_000;

/** Within this time before the restore, an operator pauses a partition, and a member joins. */
const LAST_MOMENT_MS = 100;

/**
 * The server restarts with an older copy of the bucket. Sometimes the restart is short. Then members may still handle messages, although
 * the copy names other owners. Sometimes a member has seen entries that are in no copy, but has no session yet.
 */
export const goingBack: Fault = (world) => {
  const { random, server, timeline } = world;
  if (world.harm === 'damage') return 0;
  world.harm = 'loss';
  const copy = server.store.copy();
  const afterMs = random.between(500, 10_000);
  const isBrief = random.chance(0.5);
  const downMs = isBrief ? random.between(5, 150) : random.between(20, 3_000);
  if (random.chance(0.5)) timeline.after(random.between(0, afterMs), () => world.join());
  if (random.chance(0.5)) {
    timeline.after(afterMs - random.between(0, LAST_MOMENT_MS), () => pause(world));
    timeline.after(afterMs - random.between(0, LAST_MOMENT_MS), () => world.join());
  }
  timeline.after(afterMs, () => restore(world, copy, downMs, isBrief ? 0 : 500));
  return afterMs + downMs + LIFT_MS;
};

/** Restarts the server with this copy of the bucket. Members reconnect within `spreadMs`. The fault takes `downMs` plus {@link LIFT_MS}. */
export function restore(world: World, copy: StoreCopy, downMs: number, spreadMs: number): void {
  const { random, server, timeline } = world;
  server.restart(downMs, () => random.between(0, spreadMs));
  world.putBack(copy);
  // The copy contains overrides that were removed since it was made.
  timeline.after(downMs + LIFT_MS, () => liftAll(world));
}

/** For some time the server omits some of the changes. */
export const lostChanges: Fault = (
  world,
  {
    client: {
      bucket: { watchFaults },
    },
  },
) => {
  const { random } = world;
  const lostChange = random.between(0.1, 0.8);
  return altered(world, random.between(500, 8_000), watchFaults, { lostChange }, { lostChange: 0 });
};
