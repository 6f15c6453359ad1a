import type { SimMember } from './member.js';
import type { World } from './world.js';

/** One fault: begins it now; returns how long it lasts, in milliseconds. */
type Fault = (world: World, member: SimMember) => number;

/** Sets something for a while. */
function during(world: World, forMs: number, begin: () => void, end: () => void): number {
  begin();
  world.timeline.after(forMs, end);
  return forMs;
}

/** Somebody else comes in its place, soon, later or never. */
function replace(world: World): number {
  const { random, timeline, active } = world;
  if (active.length > 0 && random.chance(0.3)) return 0;
  const afterMs = random.between(100, 5_000);
  timeline.after(afterMs, () => world.join());
  return afterMs;
}

const crash: Fault = (world, member) => {
  member.crash(world.random.chance(0.75));
  return replace(world);
};

const shortPause: Fault = (world, member) => {
  const forMs = world.random.between(20, world.settings.ttlMs);
  member.pause(forMs);
  return forMs;
};

const longPause: Fault = (world, member) => {
  const forMs = world.settings.ttlMs * world.random.between(0.9, 1.6);
  member.pause(forMs);
  return forMs;
};

/** How long a client cannot come back: mostly about as long as the group needs to notice. */
const unreachable = ({ random, settings }: World): number =>
  random.chance(0.7) ? random.between(0, 2_000) : random.between(0, settings.ttlMs * 1.4);

const cleanBreak: Fault = (world, member) => {
  const forMs = unreachable(world);
  member.connection.breakCleanly(forMs);
  return forMs;
};

const silentBreak: Fault = (world, member) => {
  const noticeMs = world.random.between(100, world.settings.ttlMs * 1.2);
  const forMs = unreachable(world);
  member.connection.breakSilently(noticeMs, forMs);
  return noticeMs + forMs;
};

const abandonment: Fault = (world, member) => {
  const noticeMs = world.random.between(100, world.settings.ttlMs);
  const forMs = unreachable(world);
  member.connection.abandon(noticeMs, forMs);
  return noticeMs + forMs;
};

/** Up for just long enough between breaks to be in touch, and down for long enough to miss a probe. */
const flapping: Fault = (world, member) => {
  const { random, timeline } = world;
  let at = 0;
  for (let i = random.int(3, 8); i > 0; i--) {
    const downMs = random.between(50, 500);
    timeline.after(at, () => member.connection.breakCleanly(downMs));
    at += downMs + random.between(110, 500);
  }
  return at;
};

const stall: Fault = (world, member) => {
  const forMs = world.random.between(50, world.settings.ttlMs * 1.5);
  member.connection.stall(forMs);
  return forMs;
};

const lostAnswers: Fault = (world, { bucket: { faults } }) =>
  during(
    world,
    world.random.between(500, world.settings.ttlMs),
    () => {
      faults.loseAnswer = world.random.between(0.2, 0.9);
    },
    () => {
      faults.loseAnswer = 0;
    },
  );

const lateWrites: Fault = (world, { bucket: { faults } }) => {
  const delayMs = world.random.between(100, 8_000);
  const forMs = during(
    world,
    world.random.between(500, world.settings.ttlMs),
    () => {
      faults.delay = world.random.between(0.2, 0.9);
      faults.delayMs = delayMs;
    },
    () => {
      faults.delay = 0;
    },
  );
  // The last of them may arrive this long after.
  return forMs + delayMs;
};

const wrongConflicts: Fault = (world, { bucket: { faults } }) =>
  during(
    world,
    world.random.between(500, world.settings.ttlMs),
    () => {
      faults.conflict = world.random.between(0.1, 0.8);
    },
    () => {
      faults.conflict = 0;
    },
  );

/** Answers come late or not at all, then nothing is written any more, while reads go on. */
const failingDisk: Fault = (world, { bucket: { faults } }) => {
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

const blockedWrites: Fault = (world, { bucket: { faults } }) =>
  during(
    world,
    world.settings.ttlMs * world.random.between(0.2, 1.6),
    () => {
      faults.blocked = true;
    },
    () => {
      faults.blocked = false;
    },
  );

const lateWatch: Fault = (world, { bucket: { watchFaults } }) =>
  during(
    world,
    world.random.between(500, 8_000),
    () => {
      watchFaults.delayMs = world.random.between(50, 3_000);
    },
    () => {
      watchFaults.delayMs = 0;
    },
  );

const silentWatch: Fault = (world, { bucket: { watches } }) => {
  const noticeMs = world.random.between(2_500, 6_000);
  for (const watch of watches) watch.silence(noticeMs);
  return noticeMs;
};

const serverRestart: Fault = (world) => {
  const { random, server, settings } = world;
  const downMs = random.chance(0.2) ? random.between(0, settings.ttlMs * 1.3) : random.between(20, 3_000);
  const spreadMs = random.pick([0, 500, settings.ttlMs]);
  server.restart(downMs, () => random.between(0, spreadMs));
  return downMs + spreadMs;
};

const joins: Fault = (world) => {
  for (let i = world.random.int(1, 3); i > 0; i--)
    world.timeline.after(world.random.between(0, 400), () => world.join());
  return 400;
};

const leaves: Fault = (world, member) => {
  const { active, random } = world;
  member.leave();
  for (const other of active) if (random.chance(0.2)) other.leave();
  return replace(world);
};

const slowHandlers: Fault = (world, { profile }) => {
  const { atOnce, long } = profile;
  return during(
    world,
    world.random.between(500, 5_000),
    () => {
      profile.atOnce = 0;
      profile.long = 0.5;
    },
    () => {
      profile.atOnce = atOnce;
      profile.long = long;
    },
  );
};

const failingHandlers: Fault = (world, { profile }) => {
  const { fails } = profile;
  return during(
    world,
    world.random.between(500, 5_000),
    () => {
      profile.fails = 0.6;
    },
    () => {
      profile.fails = fails;
    },
  );
};

/** Cut off in its sleep: what waits for it when it wakes was sent by a server that has long closed the connection. */
const cutAsleep: Fault = (world, member) => {
  const { random, timeline, settings } = world;
  const forMs = random.between(500, settings.ttlMs * 1.3);
  const noticeMs = random.between(forMs, forMs + 3_000);
  member.pause(forMs);
  timeline.after(random.between(0, 500), () => member.connection.breakSilently(noticeMs, 0));
  return noticeMs + 500;
};

/** Gone and back again and again, and never able to renew. */
const muteFlapping: Fault = (world, member) => {
  const forMs = flapping(world, member);
  const { faults } = member.bucket;
  return during(
    world,
    forMs,
    () => {
      faults.blocked = true;
    },
    () => {
      faults.blocked = false;
    },
  );
};

/** The plan changes back while handovers are on their way, unknown whether they will arrive, and seen late. */
const indecision: Fault = (world) => {
  const { random, timeline, active } = world;
  const [forMs, delayMs] = [random.between(500, 3_000), random.between(500, 6_000)];
  for (const { bucket } of active) {
    during(
      world,
      forMs,
      () => Object.assign(bucket.faults, { delay: 1, delayMs }),
      () => Object.assign(bucket.faults, { delay: 0 }),
    );
    const lateMs = random.between(0, 2_000);
    during(
      world,
      forMs + delayMs,
      () => Object.assign(bucket.watchFaults, { delayMs: lateMs }),
      () => Object.assign(bucket.watchFaults, { delayMs: 0 }),
    );
  }
  world.join();
  const other = random.oneOf(active);
  const changeAfterMs = random.between(300, forMs);
  timeline.after(changeAfterMs, () => (random.chance(0.5) ? other?.leave() : other?.crash(true)));
  return forMs + delayMs;
};

const FAULTS: readonly [Fault, ...Fault[]] = [
  crash,
  shortPause,
  longPause,
  cleanBreak,
  cleanBreak,
  silentBreak,
  abandonment,
  flapping,
  muteFlapping,
  cutAsleep,
  indecision,
  stall,
  lostAnswers,
  lateWrites,
  wrongConflicts,
  failingDisk,
  failingDisk,
  blockedWrites,
  lateWatch,
  silentWatch,
  serverRestart,
  joins,
  leaves,
  slowHandlers,
  failingHandlers,
];

/** Lets several faults happen within a time, on members chosen at random; resolves when the last one is over. */
export async function storm(world: World, faults: number, withinMs: number): Promise<void> {
  const { random, timeline, judge } = world;
  let lastEnd = timeline.now;
  for (let i = 0; i < faults; i++) {
    timeline.after(random.between(0, withinMs), () => {
      const member = random.oneOf(world.active);
      const fault = random.pick(FAULTS);
      if (!member) {
        world.join();
        return;
      }
      judge.note(`--- ${fault.name} ${member.name}`);
      lastEnd = Math.max(lastEnd, timeline.now + fault(world, member));
    });
  }
  await world.sleep(withinMs);
  while (timeline.now < lastEnd) await world.sleep(lastEnd - timeline.now);
  if (world.active.length === 0) world.join();
}
