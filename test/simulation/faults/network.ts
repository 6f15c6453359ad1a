import type { World } from '../world.js';
import { during, type Fault } from './fault.js';

/** How long a client cannot reconnect. This is usually about as long as the group needs to notice the break. */
const unreachable = ({ random, settings }: World): number =>
  random.chance(0.7) ? random.between(0, 2_000) : random.between(0, settings.ttlMs * 1.4);

export const cleanBreak: Fault = (world, member) => {
  const forMs = unreachable(world);
  member.connection.breakCleanly(forMs);
  return forMs;
};

export const silentBreak: Fault = (world, member) => {
  const noticeMs = world.random.between(100, world.settings.ttlMs * 1.2);
  const forMs = unreachable(world);
  member.connection.breakSilently(noticeMs, forMs);
  return noticeMs + forMs;
};

export const abandonment: Fault = (world, member) => {
  const noticeMs = world.random.between(100, world.settings.ttlMs);
  const forMs = unreachable(world);
  member.connection.abandon(noticeMs, forMs);
  return noticeMs + forMs;
};

/** The connection breaks repeatedly. It is up just long enough to renew. Each break is long enough to miss a probe. */
export const flapping: Fault = (world, member) => {
  const { random, timeline } = world;
  let at = 0;
  for (let i = random.int(3, 8); i > 0; i--) {
    const downMs = random.between(50, 500);
    timeline.after(at, () => member.connection.breakCleanly(downMs));
    at += downMs + random.between(110, 500);
  }
  return at;
};

export const stall: Fault = (world, member) => {
  const forMs = world.random.between(50, world.settings.ttlMs * 1.5);
  member.connection.stall(forMs);
  return forMs;
};

export const serverRestart: Fault = (world) => {
  const { random, server, settings } = world;
  const downMs = random.chance(0.2) ? random.between(0, settings.ttlMs * 1.3) : random.between(20, 3_000);
  const spreadMs = random.pick([0, 500, settings.ttlMs]);
  server.restart(downMs, () => random.between(0, spreadMs));
  return downMs + spreadMs;
};

/** A connection breaks while its process is stopped. The server closes it long before the process reads the waiting bytes. */
export const cutAsleep: Fault = (world, member) => {
  const { random, timeline, settings } = world;
  const forMs = random.between(500, settings.ttlMs * 1.3);
  const noticeMs = random.between(forMs, forMs + 3_000);
  member.pause(forMs);
  timeline.after(random.between(0, 500), () => member.connection.breakSilently(noticeMs, 0));
  return noticeMs + 500;
};

/** The connection breaks repeatedly. It is never up long enough to renew. */
export const muteFlapping: Fault = (world, member) => {
  const forMs = flapping(world, member);
  const { writeFaults: faults } = member.client.bucket;
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
