import { type CutTimes, type Route, SERVERS } from '../model/cluster.js';
import type { World } from '../world.js';
import type { Fault } from './fault.js';

/** After the repair of the routes, it takes this long until there is a leader. */
const ELECTION_MS = 2_000;

/** Cuts routes of the cluster for some time. There is only one cut at a time: two would leave no side with a quorum. */
function cut(world: World, routes: readonly Route[], times: Partial<CutTimes> = {}): number {
  const { random, timeline, settings, server, judge } = world;
  const { cluster } = server;
  if (cluster.isCut) return 0;
  judge.note(
    `routes are cut: ${routes.map(([from, to]) => `${from}>${to}`).join(' ')}, led by ${cluster.led}`,
  );
  cluster.cut(routes, {
    electionMs: random.between(1_000, 5_000),
    staleMs: random.between(2_000, 16_000),
    quiet: random.chance(0.3),
    ...times,
  });
  const forMs = random.between(500, settings.ttlMs * 1.6);
  timeline.after(forMs, () => {
    judge.note('the routes are repaired');
    cluster.heal(random.between(0, ELECTION_MS));
  });
  return forMs + ELECTION_MS;
}

const others = (server: number): number[] =>
  Array.from({ length: SERVERS }, (_, other) => other).filter((other) => other !== server);

const both = (one: number, other: number): Route[] => [
  [one, other],
  [other, one],
];

/** The routes between a server and all others. */
export const around = (server: number): Route[] => others(server).flatMap((other) => both(server, other));

/** One server is cut off from the others. Both sides have members. The isolated server may be the leader. */
export const isolation: Fault = (world) => {
  const { random, server } = world;
  const alone = random.chance(0.6) ? server.cluster.led : random.int(0, SERVERS - 1);
  return cut(world, around(alone));
};

/** One server is cut off in one direction. It does not reach the other servers, or they do not reach it. */
export const deafness: Fault = (world) => {
  const { random, server } = world;
  const one = random.chance(0.6) ? server.cluster.led : random.int(0, SERVERS - 1);
  const hears = random.chance(0.5);
  return cut(
    world,
    others(one).map((other): Route => (hears ? [one, other] : [other, one])),
  );
};

/** Two servers cannot reach each other. The third one, which may be the leader, reaches both. */
export const rift: Fault = (world) => {
  const { random } = world;
  const third = random.int(0, SERVERS - 1);
  const [one = 0, other = 1] = others(third);
  const routes = both(one, other);
  return cut(world, random.chance(0.7) ? routes : routes.slice(random.int(0, 1)).slice(0, 1));
};
