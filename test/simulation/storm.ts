import { astray, receding } from './faults/astray.js';
import * as bucket from './faults/bucket.js';
import * as compound from './faults/compound.js';
import type { Fault } from './faults/fault.js';
import * as members from './faults/members.js';
import * as network from './faults/network.js';
import * as operator from './faults/operator.js';
import { poison, poisonMs } from './faults/poison.js';
import * as readers from './faults/readers.js';
import * as routes from './faults/routes.js';
import { trimming } from './faults/trimming.js';
import { unreadableLease, unreadablePosition } from './faults/unreadable.js';
import type { World } from './world.js';

/** The faults of a storm. The most effective ones are listed twice. */
const FAULTS: readonly Fault[] = [
  members.crash,
  members.decimation,
  members.shortPause,
  members.longPause,
  members.joins,
  members.cutAtTheDoor,
  members.leaves,
  members.restarts,
  members.restarts,
  members.slowHandlers,
  members.failingHandlers,
  members.backlog,
  members.backlog,
  poison,
  poison,
  members.computing,
  members.refusal,
  members.counted,
  network.cleanBreak,
  network.cleanBreak,
  network.silentBreak,
  network.abandonment,
  network.flapping,
  network.muteFlapping,
  network.cutAsleep,
  network.cutAsleep,
  network.stall,
  network.serverRestart,
  bucket.lostAnswers,
  bucket.lateWrites,
  bucket.wrongConflicts,
  bucket.failingDisk,
  bucket.failingDisk,
  bucket.blockedWrites,
  bucket.lateWatch,
  bucket.silentWatch,
  bucket.holedSnapshots,
  bucket.noMoreWatches,
  bucket.lostChanges,
  compound.indecision,
  compound.oldSnapshot,
  compound.unseenHandover,
  compound.fencedReturns,
  routes.isolation,
  routes.isolation,
  routes.deafness,
  routes.rift,
  routes.rift,
  astray,
  astray,
  receding,
  readers.noMoreReaders,
  readers.changedReader,
  readers.pulledReader,
  readers.twins,
  operator.releases,
  operator.halfFenced,
  operator.pins,
  operator.rests,
  trimming,
  trimming,
  trimming,
  trimming,
  unreadablePosition,
  unreadableLease,
  bucket.losses,
  bucket.losses,
  bucket.goingBack,
];

/** Faults that exclude a resize. They lose messages or entries, or make them unreadable. */
const NOT_RESIZING: ReadonlySet<Fault> = new Set([
  trimming,
  unreadablePosition,
  unreadableLease,
  bucket.losses,
  bucket.goingBack,
  compound.unseenHandover,
  compound.fencedReturns,
]);
const OF_RESIZING: readonly Fault[] = [
  ...FAULTS.filter((fault) => !NOT_RESIZING.has(fault)),
  ...Array.from({ length: 30 }, () => operator.resizes),
];

/** If faults were chosen for this run, this is their share of a storm. */
const CHOSEN = 0.7;

/** Draws the faults of a storm, each as often as it is listed. */
function drawing({ random, settings }: World): () => Fault | undefined {
  const all = settings.resizing ? OF_RESIZING : FAULTS;
  // In a bundle, functions of the same name get numbers, for example `pause2`. They are removed here.
  const chosen = all.filter(({ name }) => settings.faults.includes(name.replace(/\d+$/, '')));
  return () => random.oneOf(chosen.length > 0 && random.chance(CHOSEN) ? chosen : all);
}

/** Starts several faults on random members within this time. Resolves when the last one has ended. */
export async function storm(world: World, faults: number, withinMs: number): Promise<void> {
  const { random, timeline, judge, settings } = world;
  const next = drawing(world);
  let lastEnd = timeline.now;
  for (let i = 0; i < faults; i++) {
    timeline.after(random.between(0, withinMs), () => {
      const member = random.oneOf(world.active);
      const fault = next();
      if (!member || !fault) {
        world.join();
        return;
      }
      judge.note(`--- ${fault.name} ${member.name}`);
      lastEnd = Math.max(lastEnd, timeline.now + fault(world, member));
    });
  }
  await world.sleep(withinMs);
  while (timeline.now < lastEnd) await world.sleep(lastEnd - timeline.now);
  if (world.active.length > 0) return;
  world.join();
  // While no member ran, a poisonous message could not end a process. It must now end as many as it can.
  if (world.poison.isActive) await world.sleep(poisonMs(settings));
}
