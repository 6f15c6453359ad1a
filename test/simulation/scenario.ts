import { calmEpisode } from './calm.js';
import { unrest } from './checks/rest.js';
import { silenceReader } from './faults/readers.js';
import type { HandlerProfile } from './model/handler.js';
import type { Random } from './model/random.js';
import { storm } from './storm.js';
import type { World, WorldSettings } from './world.js';

/** So many messages in each partition at once, and what they may take. */
const BURST = 20;
const BURST_MS = 8_000;
/** After the storm it is looked for so long, in ttls, whether what is at rest stays so: entries are looked at in turns. */
const REST_TTLS = 1.2;
/** What was taken out of the bucket has to be missed first, and then claims wait for a ttl. */
const MISSED_TTLS = 2.5;
/** A run that ends with a burst lasts at least this long: requests and idle readers have expired by then. */
const LENGTH_MS = 60_000;

function handlers(random: Random): HandlerProfile {
  return {
    atOnce: random.pick([0, 0.5, 0.95]),
    maxMs: random.pick([5, 50, 200]),
    long: random.pick([0, 0.02, 0.1]),
    longMs: random.pick([500, 2_000]),
    fails: random.pick([0, 0, 0.05]),
    busyMs: random.pick([0, 0, 0, 30]),
    ignores: random.pick([0, 0, 0, 0.05]),
  };
}

/** Everything that is fixed for one run; `members` and `partitions` where somebody wants a certain number. */
export function settingsFor(
  random: Random,
  wanted: { members?: number | undefined; partitions?: number | undefined },
): WorldSettings {
  const partitions = wanted.partitions ?? random.int(3, 16);
  const minMs = random.pick([0.1, 0.5, 2]);
  const onExhausted = random.pick<WorldSettings['onExhausted']>(['skip', 'dead-letter', 'halt']);
  return {
    group: 'g',
    members: wanted.members ?? random.int(3, 8),
    partitions,
    ttlMs: random.pick([5_000, 10_000]),
    probeEveryMs: random.pick([0, 400, 400, 400]),
    denied: random.chance(0.1),
    mute: random.pick([0, 0, 0.2]),
    clockError: 0.05,
    latency: { minMs, maxMs: minMs * random.pick([1.5, 5]) },
    drainTimeoutMs: random.pick([500, 3_000]),
    concurrency: random.pick([1, 1, 1, 4]),
    bufferMessages: random.pick([12, 64, 256]),
    shared: random.chance(0.5),
    // Where a failure needs a human being, none happens outside the storm.
    handlers: { ...handlers(random), ...(onExhausted === 'halt' && { fails: 0 }) },
    onExhausted,
    handlerTimeoutMs: onExhausted === 'halt' ? undefined : random.pick([undefined, undefined, 1_000]),
    // No more than slow handlers can keep up with, one at a time in each partition.
    publishRate: Math.min(random.pick([3, 10]), partitions),
  };
}

/** Somebody looks after partitions whose handlers have given up: from now on, every second. */
function liftHalts(world: World): void {
  for (const { member } of world.active) {
    for (const { partition, state } of member.partitions) {
      if (state === 'halted') member.release(partition, null);
    }
  }
  world.timeline.after(1_000, () => liftHalts(world));
}

/** In this share of the groups at rest somebody silences a reader. */
const SILENCED = 0.3;

/** More at once than most windows, after a quiet time in which requests have expired. */
function burst(world: World): void {
  world.judge.note('--- a burst');
  for (let partition = 0; partition < world.settings.partitions; partition++)
    for (let i = 0; i < BURST; i++) world.store(partition);
}

/** A group starts, changes undisturbed, goes through a storm of faults, and has to come to rest and stay there. */
export async function play(world: World): Promise<void> {
  const { settings, random, judge, ledger, timeline } = world;
  const rest = async (what: string, boundMs: number): Promise<void> => {
    const isAtRest = await world.until(() => unrest(world) === undefined || !!judge.violation, boundMs);
    if (!isAtRest) judge.violate('I7', `not at rest ${boundMs} ms ${what}: ${unrest(world)}`);
  };
  // The longest that a member can go unnoticed, and the longest that a handler or a drain may take.
  const boundMs = settings.ttlMs * 1.2 + settings.drainTimeoutMs + 10_000;

  const spreadMs = random.pick([50, 50, 3_000]);
  for (let i = 0; i < settings.members; i++) timeline.after(random.between(0, spreadMs), () => world.join());
  world.publish();
  await world.sleep(spreadMs + 1);
  await rest('after the start', boundMs);
  for (let i = random.int(1, 2); i > 0 && !judge.violation; i--) await calmEpisode(world, rest);

  judge.note('--- the storm');
  liftHalts(world);
  await storm(world, random.int(3, 8), random.between(5_000, 20_000));
  judge.note('--- the storm is over');
  await rest('after the last fault', boundMs + (world.harm === 'loss' ? settings.ttlMs * MISSED_TTLS : 0));

  // What is at rest stays at rest.
  const writes = ledger.leaseWrites;
  const bursts = random.chance(0.3);
  const restMs = settings.ttlMs * REST_TTLS;
  if (random.chance(SILENCED)) silenceReader(world);
  await world.sleep(bursts ? Math.max(restMs, LENGTH_MS - timeline.now) : restMs);
  if (ledger.leaseWrites !== writes) judge.violate('I7', 'leases changed though nothing had happened');
  if (bursts) burst(world);
  world.isPublishing = false;
  await rest('after the last message', boundMs + BURST_MS);
  if (!judge.violation) world.drops.judge();
}
