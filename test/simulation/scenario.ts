import { age, MAX_AGE_MS } from './aging.js';
import { calmEpisode } from './calm.js';
import { unrest } from './checks/rest.js';
import { silenceReader } from './faults/readers.js';
import { averageMs, type HandlerProfile } from './model/handler.js';
import type { Random } from './model/random.js';
import type { RunOptions } from './run.js';
import { storm } from './storm.js';
import type { World, WorldSettings } from './world.js';

/** Messages of a burst, in each partition. */
const BURST = 20;
/** The last messages must be handled within this time plus twice the average duration of their calls. */
const BURST_MS = 8_000;
/** After the storm the group must stay at rest for this many ttls. Members check entries in rotation, so the time is long. */
const REST_TTLS = 1.2;
/** Within this many ttls, members notice that entries were removed, and then claim nothing for a ttl. */
const MISSED_TTLS = 2.5;
/** The shortest run with a burst. After this time, requests and idle readers have expired. */
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

/** Chooses the settings of one run. `members`, `partitions` and `faults` are used if given. */
export function settingsFor(
  random: Random,
  wanted: Pick<RunOptions, 'members' | 'partitions' | 'faults'>,
): WorldSettings {
  const partitions = wanted.partitions ?? random.int(3, 16);
  const minMs = random.pick([0.1, 0.5, 2]);
  const onExhausted = random.pick<WorldSettings['onExhausted']>(['skip', 'dead-letter', 'halt']);
  const shared = random.chance(0.5);
  // A resize turns a group over the stream's layout into a keyed group.
  const resizing = random.chance(shared ? 0.5 : 0.3);
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
    concurrency: resizing ? 1 : random.pick([1, 1, 1, 4]),
    bufferMessages: random.pick([12, 64, 256]),
    shared,
    resizing,
    // With the policy halt, handlers fail only in the storm.
    handlers: { ...handlers(random), ...(onExhausted === 'halt' && { fails: 0 }) },
    onExhausted,
    handlerTimeoutMs: onExhausted === 'halt' ? undefined : random.pick([undefined, undefined, 1_000]),
    // Slow handlers can keep up with this rate, even if each partition runs only one at a time.
    publishRate: Math.min(random.pick([3, 10]), partitions),
    faults: wanted.faults ?? [],
    countsDrops: random.chance(0.6),
    aging: !shared && !resizing && random.chance(0.25),
    bufferBytes: random.pick([1_000_000, 1_000_000, 60]),
  };
}

/** From now on an operator releases halted partitions every second. */
function liftHalts(world: World): void {
  for (const { member } of world.active) {
    for (const { partition, state } of member.status.partitions) {
      if (state === 'halted') member.orders.release(partition, null);
    }
  }
  world.timeline.after(1_000, () => liftHalts(world));
}

/** In this share of the groups at rest, another client silences a reader. */
const SILENCED = 0.3;

/**
 * How long the stored messages may take, in milliseconds. The calls of a partition run one after another. If a shared reader has a budget
 * below two messages for each partition, it holds no messages for most partitions. Then the calls of all partitions can run one after
 * another. Some calls happen to be long, so twice the average is allowed.
 */
function backlogMs({ settings, server, ledger }: World): number {
  const { shared, bufferMessages, bufferBytes, partitions, handlers } = settings;
  const waiting = [...Array(partitions).keys()].map((partition) => {
    const done = ledger.position(partition).sequence;
    return server.log.of(partition).filter(({ sequence }) => sequence > done).length;
  });
  const isNarrow = shared && Math.min(bufferMessages, bufferBytes / 4) / 2 < partitions;
  const messages = isNarrow ? waiting.reduce((sum, each) => sum + each, 0) : Math.max(...waiting);
  return BURST_MS + 2 * messages * averageMs(handlers);
}

function burst(world: World, messages: number): void {
  world.judge.note(`--- ${messages} messages in each partition`);
  for (let partition = 0; partition < world.settings.partitions; partition++)
    for (let i = 0; i < messages; i++) world.store(partition);
}

/** Plays a run: starts a group, makes isolated changes, injects a storm of faults, and requires rest afterwards. */
export async function play(world: World): Promise<void> {
  const { settings, random, judge, ledger, timeline } = world;
  const rest = async (what: string, boundMs: number): Promise<void> => {
    const isAtRest = await world.until(() => unrest(world) === undefined || !!judge.violation, boundMs);
    if (!isAtRest) judge.violate('I7', `not at rest ${boundMs} ms ${what}: ${unrest(world)}`);
  };
  // Includes the longest detection time, and the longest handler or drain.
  const boundMs = settings.ttlMs * 1.2 + settings.drainTimeoutMs + 10_000;

  const spreadMs = random.pick([50, 50, 3_000]);
  for (let i = 0; i < settings.members; i++) timeline.after(random.between(0, spreadMs), () => world.join());
  world.publish();
  if (settings.aging) age(world);
  await world.sleep(spreadMs + 1);
  await rest('after the start', boundMs);
  for (let i = random.int(1, 2); i > 0 && !judge.violation; i--) await calmEpisode(world, rest);

  judge.note('--- the storm');
  liftHalts(world);
  await storm(world, random.int(3, 8), random.between(5_000, 20_000));
  judge.note('--- the storm is over');
  for (const member of world.members) member.endIfRefused();
  // A group without members is never at rest.
  if (world.active.length === 0) world.join();
  // A member can notice or suspect a loss long after the group seems to be at rest.
  if (world.harm === 'loss') await world.sleep(settings.ttlMs * MISSED_TTLS);
  await rest('after the last fault', boundMs);

  if (settings.aging) {
    // The stream drops the messages around the first positions of idle partitions. Then a new owner starts.
    await world.sleep(MAX_AGE_MS);
    random.oneOf(world.active)?.crash(true);
    world.join();
    await rest('after a takeover of idle partitions', boundMs);
  }

  const writes = ledger.leaseWrites;
  const bursts = random.chance(0.3);
  const restMs = settings.ttlMs * REST_TTLS;
  if (random.chance(SILENCED)) silenceReader(world);
  await world.sleep(bursts ? Math.max(restMs, LENGTH_MS - timeline.now) : restMs);
  if (ledger.leaseWrites !== writes) judge.violate('I7', 'leases changed without a cause');
  // A burst exceeds most windows. It follows a quiet time in which requests have expired. If messages were lost while a reader had no
  // request, only the partition's next message shows it.
  burst(world, bursts ? BURST : 1);
  world.isPublishing = false;
  await rest('after the last message', boundMs + backlogMs(world));
  if (!judge.violation) world.drops.judge();
}
