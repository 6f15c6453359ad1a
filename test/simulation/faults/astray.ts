import { keys } from '../../../src/core/protocol/keys.js';
import { decodeLease } from '../../../src/core/protocol/records.js';
import { SERVERS } from '../model/cluster.js';
import type { World } from '../world.js';
import type { Fault } from './fault.js';
import { pin } from './operator.js';
import { around } from './routes.js';

/** The other servers elect a leader within this time. */
const ELECTION_MS = 300;
/** A member joins and gets a partition within this time. */
const JOIN_MS = 2_500;
/**
 * The time, in ttls, from the reconnect to the old leader until the routes are repaired. It is too short for a member's deadline to pass.
 */
const LOST = { min: 0.04, max: 0.7 };
/** The older member moves to the old leader within this time after the new member's first lease. */
const LEASES_MS = 500;

/**
 * A member joins while the leader is cut off, so the old leader does not know it. An older member then reconnects to this leader. Either it
 * has learned of the new session from another server. Or the watch omitted the session and requests had no answer, so it knows only a lease
 * of the new member. When the routes are repaired, the older member's writes are applied.
 */
export const astray: Fault = (world, { client, connection }) => {
  const { random, timeline, server } = world;
  const { cluster } = server;
  const { bucket } = client;
  const { ttlMs } = world.settings;
  if (cluster.isCut) return 0;
  const alone = cluster.led;
  cluster.cut(around(alone), { electionMs: ELECTION_MS, staleMs: 60_000, quiet: false });
  cluster.placesAt = (alone + random.int(1, SERVERS - 1)) % SERVERS;
  connection.breakCleanly(0);
  let isMoving = false;
  const heal = (): void => {
    bucket.watchFaults.lostChange = 0;
    bucket.isUnanswered = false;
    cluster.placesAt = undefined;
    cluster.heal(0);
  };
  const move = (): void => {
    bucket.isUnanswered = false;
    cluster.placesAt = alone;
    connection.breakCleanly(0);
    timeline.after(ttlMs * random.between(LOST.min, LOST.max), heal);
  };
  const isUnseen = random.chance(0.5);
  timeline.after(ELECTION_MS * 2, () => {
    if (isUnseen) {
      bucket.watchFaults.lostChange = 1;
      bucket.isUnanswered = true;
    }
    const unfollow = follow(world, {
      joined: () => {
        bucket.watchFaults.lostChange = 0;
      },
      owns: () => {
        unfollow();
        isMoving = true;
        timeline.after(random.between(0, LEASES_MS), move);
      },
    });
    timeline.after(JOIN_MS, () => {
      unfollow();
      if (!isMoving) heal();
    });
  });
  return ELECTION_MS * 2 + JOIN_MS + ttlMs * LOST.max;
};

/**
 * A member gets a lease while the leader is cut off, so the old leader does not know the lease. Then the member reconnects to this leader,
 * which answers with the older lease.
 */
export const receding: Fault = (world, { connection, member, name }) => {
  const { random, timeline, server, settings, active } = world;
  const { cluster, store } = server;
  const giver = random.oneOf(active.filter((each) => each.connection !== connection));
  const partition = random.oneOf(giver?.member.status.partitions ?? [])?.partition;
  if (cluster.isCut || !giver || partition === undefined) return 0;
  const alone = cluster.led;
  cluster.cut(around(alone), { electionMs: ELECTION_MS, staleMs: 60_000, quiet: false });
  cluster.placesAt = (alone + random.int(1, SERVERS - 1)) % SERVERS;
  connection.breakCleanly(0);
  giver.connection.breakCleanly(0);
  const heal = (): void => {
    cluster.placesAt = undefined;
    cluster.heal(0);
    pin(world, partition, null);
  };
  let isMoving = false;
  timeline.after(ELECTION_MS * 2, () => {
    const unfollow = store.observe(({ key, value }) => {
      if (value === null || member.id === null) return;
      if (!key.startsWith(keys.groupPrefix(settings.group)) || decodeLease(value)?.owner !== member.id)
        return;
      unfollow();
      isMoving = true;
      timeline.after(random.between(0, LEASES_MS), () => {
        cluster.placesAt = alone;
        connection.breakCleanly(0);
        timeline.after(settings.ttlMs * random.between(LOST.min, LOST.max), heal);
      });
    });
    pin(world, partition, name);
    timeline.after(JOIN_MS, () => {
      unfollow();
      if (!isMoving) heal();
    });
  });
  return ELECTION_MS * 2 + JOIN_MS + settings.ttlMs * LOST.max;
};

/** Lets a member join. Calls back when it has a session, and when it gets a partition. */
function follow(world: World, hears: { joined: () => void; owns: () => void }): () => void {
  const { server, settings } = world;
  const { member } = world.join();
  return server.store.observe(({ key, value }) => {
    if (value === null || member.id === null) return;
    if (key === keys.session(settings.group, member.id)) hears.joined();
    else if (key.startsWith(keys.groupPrefix(settings.group)) && decodeLease(value)?.owner === member.id)
      hears.owns();
  });
}
