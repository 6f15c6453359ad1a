import type { SimMember } from '../member.js';
import type { World } from '../world.js';
import { altered, type Fault } from './fault.js';

/** Another member replaces a lost one: soon, later or never. */
function replace(world: World): number {
  const { random, timeline, active } = world;
  if (active.length > 0 && random.chance(0.3)) return 0;
  const afterMs = random.between(100, 5_000);
  timeline.after(afterMs, () => world.join());
  return afterMs;
}

export const crash: Fault = (world, member) => {
  member.crash(world.random.chance(0.75));
  return replace(world);
};

/** Several members die at once, including neighbors in the ring. Mostly they are not replaced. */
export const decimation: Fault = (world) => {
  const { random, active } = world;
  const noticed = random.chance(0.5);
  const survivors = random.int(1, 2);
  for (const member of active.slice(survivors)) member.crash(noticed);
  return random.chance(0.3) ? replace(world) : 0;
};

export const shortPause: Fault = (world, member) => {
  const forMs = world.random.between(20, world.settings.ttlMs);
  member.pause(forMs);
  return forMs;
};

export const longPause: Fault = (world, member) => {
  const forMs = world.settings.ttlMs * world.random.between(0.9, 1.6);
  member.pause(forMs);
  return forMs;
};

export const joins: Fault = (world) => {
  for (let i = world.random.int(1, 3); i > 0; i--)
    world.timeline.after(world.random.between(0, 400), () => world.join());
  return 400;
};

export const leaves: Fault = (world, member) => {
  const { active, random } = world;
  member.leave();
  for (const other of active) if (random.chance(0.2)) other.leave();
  return replace(world);
};

/** One or several members leave for a restart. A member returns in time, too late, never, or before it has left. */
export const restarts: Fault = (world, member) => {
  const { active, random, timeline } = world;
  const withinMs = random.between(500, 8_000);
  const restart = (each: SimMember): void => {
    each.leave(withinMs);
    const afterMs = random.between(0, withinMs * 1.3);
    if (random.chance(0.8)) timeline.after(afterMs, () => world.join(undefined, each.knownAs));
  };
  restart(member);
  for (const other of active) if (random.chance(0.3)) restart(other);
  return withinMs * 1.3;
};

export const slowHandlers: Fault = (world, { profile }) =>
  altered(
    world,
    world.random.between(500, 5_000),
    profile,
    { atOnce: 0, long: 0.5 },
    world.settings.handlers,
  );

/** The last failing call can end late. The policy must still recognize the last attempt. */
export const failingHandlers: Fault = (world, { profile }) =>
  altered(world, world.random.between(500, 5_000), profile, { fails: 0.6 }, world.settings.handlers) + 5_000;

/** A burst of messages for one member's partitions, with slow handlers. */
export const backlog: Fault = (world, { member, profile }) => {
  const { random, settings } = world;
  const forMs = random.between(8_000, 14_000);
  const each = random.int(10, 40);
  for (const { partition } of member.status.partitions) for (let i = 0; i < each; i++) world.store(partition);
  return altered(world, forMs, profile, { atOnce: 0, maxMs: (2 * forMs) / each, long: 0 }, settings.handlers);
};

/** A burst of messages for one member's partitions. The handlers compute, so they share the member's event loop. */
export const computing: Fault = (world, { member, profile }) => {
  const { random, settings } = world;
  for (const { partition } of member.status.partitions) for (let i = 0; i < 40; i++) world.store(partition);
  const busyMs = random.between(10, 60);
  return altered(world, 5_000, profile, { atOnce: 1, busyMs, fails: 0 }, settings.handlers);
};

const REFUSED = [['delete'], ['create'], ['pull']] as const;
const EVERYTHING = ['delete', 'create', 'pull', 'info'] as const;

/** A member may no longer read the stream, or the stream is missing. The member notices when it needs a reader. */
export const refusal: Fault = (world, member) => {
  const { random, timeline } = world;
  if (random.chance(0.3)) member.refuse(new Set(EVERYTHING), 'no stream');
  else member.refuse(new Set(random.oneOf(REFUSED)), 'not permitted');
  const noticeMs = random.between(0, 3_000);
  timeline.after(noticeMs, () => member.connection.breakCleanly(random.between(0, 200)));
  timeline.after(noticeMs + random.between(0, 3_000), () => world.join());
  return noticeMs + 3_000;
};

/** A joining member's connection breaks repeatedly before its identity is confirmed. */
export const cutAtTheDoor: Fault = (world) => {
  const { random, timeline, settings } = world;
  const { connection } = world.join();
  let at = 0;
  for (let i = random.int(1, 4); i > 0; i--) {
    at += random.between(0, settings.latency.maxMs * 4);
    const downMs = random.between(0, 200);
    timeline.after(at, () => connection.breakCleanly(downMs));
    at += downMs + 100;
  }
  return at;
};

/** A member joins, handles an exact number of messages, and leaves. If that takes too long, it leaves after some time. */
export const counted: Fault = (world) => {
  const { random, timeline } = world;
  const member = world.join(random.int(1, 30));
  const forMs = random.between(2_000, 8_000);
  // With several messages in each partition, calls run in parallel when the last permitted call starts.
  timeline.after(random.between(500, forMs), () => {
    for (const { partition } of member.member.status.partitions)
      for (let i = 0; i < 5; i++) world.store(partition);
  });
  timeline.after(forMs, () => member.leave());
  return forMs;
};
