import { CalmCheck, type Expectation } from './checks/calm.js';
import { orderResize } from './faults/operator.js';
import type { World } from './world.js';

/** Starts one isolated change. Returns its permitted effects, or undefined if the group does not allow the change. */
type Episode = (world: World) => Expectation | undefined;

/** A commit may take this long, with slow clocks, latency, and handlers that compute. */
const COMMIT_MS = 800;

const EXACT = { mayRepeat: false, mayReopen: false, joins: 0 };
const CUT = { mayRepeat: false, mayReopen: true, joins: 0 };

const join: Episode = (world) => {
  world.join();
  return { ...EXACT, what: 'a join', joins: 1 };
};

/** A member joins, but the server hides it from one of the others. */
const unseenJoin: Episode = (world) => {
  const { active, random, settings, timeline } = world;
  const faults = random.oneOf(active)?.client.bucket.watchFaults;
  if (!faults) return undefined;
  faults.lostChange = 1;
  timeline.after(settings.latency.maxMs * 3 + random.between(0, 100), () => {
    faults.lostChange = 0;
  });
  world.join();
  return { ...EXACT, what: 'a join that one member does not see', joins: 1 };
};

const burst: Episode = (world) => {
  const joins = world.random.int(2, 3);
  for (let i = 0; i < joins; i++) world.timeline.after(world.random.between(0, 80), () => world.join());
  return { ...EXACT, what: `${joins} joins at once`, joins };
};

const leave: Episode = (world) => {
  const { active, random } = world;
  if (active.length < 2) return undefined;
  random.oneOf(active)?.leave();
  return { ...EXACT, what: 'a leave' };
};

/** Several members are replaced at once, as in a deployment. Those that leave may give partitions to each other. */
const departures: Episode = (world) => {
  const { active, random, timeline } = world;
  if (active.length < 2) return undefined;
  const leaving = active.slice(0, random.int(2, active.length));
  const spreadMs = random.pick([0, 2]);
  for (const member of leaving) {
    timeline.after(random.between(0, spreadMs), () => member.leave());
    timeline.after(random.between(200, 2_000), () => world.join());
  }
  return { ...EXACT, what: `${leaving.length} departures at once`, movesFreely: true };
};

/** A member leaves for a restart, and returns in time. Its partitions wait for it. No other partition moves. */
const rollingRestart: Episode = (world) => {
  const { active, random, settings, timeline } = world;
  const member = random.oneOf(active);
  if (!member) return undefined;
  const replaced = { by: '', member: member.name };
  member.leave(settings.ttlMs);
  timeline.after(random.between(0, settings.ttlMs * 0.5), () => {
    replaced.by = world.join(undefined, member.knownAs).name;
  });
  return { ...EXACT, what: 'a restart of a member', replaced };
};

const crash: Episode = (world) => {
  const { active, random } = world;
  if (active.length < 2) return undefined;
  const noticed = random.chance(0.7);
  random.oneOf(active)?.crash(noticed);
  return { ...EXACT, what: noticed ? 'a crash' : 'a power loss', mayRepeat: true };
};

const restart: Episode = (world) => {
  const { server, random, settings } = world;
  const spreadMs = random.pick([0, settings.ttlMs * 0.3]);
  const downMs = random.chance(0.2) ? settings.ttlMs * 1.3 : random.between(50, 3_000);
  server.restart(downMs, () => random.between(0, spreadMs));
  return { ...CUT, what: `a server restart of ${Math.round(downMs)} ms` };
};

/** An election: after a restart, the server does not answer requests to the stream for some seconds. Running work waits for it. */
const election: Episode = (world) => {
  const { server, random, settings, timeline } = world;
  const downMs = settings.ttlMs * random.between(0.8, 1.3);
  const leaderlessMs = random.between(2_000, 8_000);
  server.restart(downMs, () => 0);
  server.consumers.isLeaderless = true;
  timeline.after(downMs + leaderlessMs, () => {
    server.consumers.isLeaderless = false;
  });
  timeline.after(downMs + random.between(0, 2_000), () => world.join());
  return { ...CUT, what: 'an election, and a join', joins: 1 };
};

const pause: Episode = (world) => {
  const { active, random, settings } = world;
  random.oneOf(active)?.pause(random.between(50, settings.ttlMs * 0.4));
  return { ...CUT, what: 'a pause shorter than the ttl' };
};

const blip: Episode = (world) => {
  const { active, random } = world;
  random.oneOf(active)?.connection.breakCleanly(random.between(0, 200));
  return { ...CUT, what: 'a short disconnect' };
};

const stall: Episode = (world) => {
  const { active, random, settings } = world;
  random.oneOf(active)?.connection.stall(random.between(50, settings.ttlMs * 0.3));
  return { ...CUT, what: 'a short stall' };
};

const forgetful: Episode = (world) => {
  const { active, random, settings, timeline } = world;
  const member = random.oneOf(active);
  if (!member) return undefined;
  const { writeFaults: faults } = member.client.bucket;
  if (random.chance(0.5)) faults.loseAnswer = 0.7;
  else faults.conflict = 0.7;
  timeline.after(settings.ttlMs * 0.5, () => {
    faults.loseAnswer = 0;
    faults.conflict = 0;
  });
  return { ...CUT, what: 'lost and wrong answers to writes' };
};

/** For a moment, no server answers requests about the stream and its readers. Some commits wait for such a request. */
const lostRequests: Episode = (world) => {
  const { server, random, timeline } = world;
  const commitsAfterMs = random.between(50, 1_000);
  server.consumers.isLeaderless = true;
  timeline.after(commitsAfterMs, () => {
    server.consumers.isLeaderless = false;
  });
  return { ...CUT, what: 'lost requests to the stream', commitsAfterMs };
};

/** The number of partitions changes. No member joins or leaves. */
const resize: Episode = (world) => {
  const before = world.settings.partitions;
  const partitions = world.random.int(1, 16);
  if (!orderResize(world, partitions)) return undefined;
  return { ...EXACT, what: `a resize from ${before} to ${partitions}`, movesFreely: true };
};

const EPISODES: readonly [Episode, ...Episode[]] = [
  join,
  unseenJoin,
  burst,
  leave,
  departures,
  rollingRestart,
  rollingRestart,
  crash,
  restart,
  election,
  pause,
  blip,
  stall,
  forgetful,
  lostRequests,
];

/** Makes one isolated change in a group at rest. Waits for rest again, and judges the change. */
export async function calmEpisode(
  world: World,
  rest: (what: string, boundMs: number) => Promise<void>,
): Promise<void> {
  const check = new CalmCheck(world);
  const isResize = world.settings.resizing && world.random.chance(0.6);
  const expected = (isResize ? resize : world.random.pick(EPISODES))(world);
  if (!expected) return;
  world.judge.note(`--- ${expected.what}`);
  if (expected.commitsAfterMs !== undefined) {
    await world.sleep(expected.commitsAfterMs);
    const owed = check.owed();
    await world.sleep(world.settings.ttlMs / 5 + COMMIT_MS);
    check.judgeCommits(expected, owed);
  }
  await world.sleep(world.settings.ttlMs * 0.6);
  await rest(`after ${expected.what}`, world.settings.ttlMs * 2.5 + 10_000);
  if (!world.judge.violation) check.judge(expected);
}
