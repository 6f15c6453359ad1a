import type { SimMember } from '../member.js';
import type { World } from '../world.js';
import type { Fault } from './fault.js';
import { backlog } from './members.js';

/** Drops waiting messages up to this sequence, as a purge or a limit of age or size does. */
export function purge({ server: { log }, drops }: World, upTo: number): void {
  for (const partition of log.partitions.keys()) drops.dropped(log.drop(partition, upTo), true);
}

/** Lets each subject keep only this many messages. So the stream loses messages in its middle. */
function limit({ server: { log }, drops }: World, most: number): void {
  for (const [partition, messages] of log.partitions.entries()) {
    const newest = messages[messages.length - 1 - most];
    if (newest) drops.dropped(log.drop(partition, newest.sequence), false);
  }
}

/** An owner dies, or loses its reader and continues under the same epoch. It may just have passed a gap without investigating it. */
function interrupt({ random, server: { consumers } }: World, member: SimMember): void {
  if (random.chance(0.5)) member.crash(random.chance(0.75));
  else consumers.deleteSome(() => true);
}

/** The stream drops waiting messages while readers with open requests receive them slowly. */
function overtaking(world: World, member: SimMember): number {
  const { random, timeline, judge, server } = world;
  const { consumers, log } = server;
  const each = random.int(10, 40);
  const forMs = random.between(3_000, 5_000);
  if (consumers.isSlow) return 0;
  for (const { partition } of member.member.status.partitions)
    for (let i = 0; i < each; i++) world.store(partition);
  consumers.pace(random.between(0.5, 2) * (forMs / each));
  consumers.deleteSome(() => true);
  // Messages are dropped only after all members have checked the stream. That takes up to a second.
  const dropMs = random.between(1_100, forMs - 1_500);
  timeline.after(dropMs, () => {
    judge.note('the stream drops messages that readers are about to receive');
    purge(world, log.last - random.int(0, each));
  });
  const interruptMs = dropMs + random.between(50, 1_500);
  timeline.after(interruptMs, () => interrupt(world, member));
  timeline.after(forMs, () => consumers.pace(undefined));
  return Math.max(forMs, interruptMs);
}

/** The stream drops unhandled messages of a backlog: its oldest ones, or the oldest of each partition. */
export const trimming: Fault = (world, member) => {
  const { random, timeline, server, judge, settings } = world;
  if (settings.aging) return 0;
  if (random.chance(0.25)) return overtaking(world, member);
  const forMs = backlog(world, member);
  const dropMs = random.between(200, 4_000);
  if (random.chance(0.5)) {
    timeline.after(dropMs, () => {
      Object.assign(member.profile, settings.handlers);
      timeline.after(random.between(50, 1_200), () => interrupt(world, member));
    });
  }
  timeline.after(dropMs, () => {
    judge.note('the stream drops messages');
    if (random.chance(0.5)) purge(world, server.log.last - random.int(0, 40));
    else limit(world, random.int(0, 8));
  });
  return Math.max(forMs, dropMs);
};
