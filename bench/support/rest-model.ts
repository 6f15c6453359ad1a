import { timingFor } from '../../src/core/protocol/timing.js';

/** A group in which nothing is published and nothing moves. */
export interface RestingGroup {
  members: number;
  partitions: number;
  ttlMs: number;
  /** 0: members do not probe each other. */
  probeMs: number;
}

/** Messages a second of one member, as its server counts them. */
export interface MessageRates {
  /** From the member to the server. */
  sent: number;
  /** From the server to the member. */
  received: number;
}

/** Each member observes this many others (`protocol/failure-detector.ts`). */
const WATCHED = 2;
/** A request of a reader or of the watch for messages waits this long (`nats/pull.ts`). */
const PULL_MS = 30_000;
/** The interval of the server's heartbeats to an idle reader (`nats/event-stream.ts`) and to an idle watch (`nats/watch.ts`). */
const READER_HEARTBEAT_MS = 2_000;
const WATCH_HEARTBEAT_MS = 1_000;
/** The interval at which the watch compares itself with the newest entry (`nats/watch.ts`). */
const POLL_MS = 3_000;
/**
 * Proofs of life, sessions and leases are read this many times within the ttl (`suspicion.ts`, `entry-looks.ts`).
 */
const LOOKS = 3;
/**
 * The number of other members' sessions that are read at a time, and of own leases with their positions (`protocol/entry-looks.ts`).
 */
const AT_ONCE = 4;

/**
 * The expected traffic of a member at rest, from the constants of the code: its renewals; its reads of the next two proofs of life in the
 * ring, of all sessions in turn and of its own leases; probes in both directions; polls; and the requests and heartbeats of its watch and
 * of one reader for each partition.
 */
export function messagesAtRest({ members, partitions, ttlMs, probeMs }: RestingGroup): MessageRates {
  const timing = timingFor(ttlMs, probeMs);
  const own = partitions / members;
  const watched = Math.min(WATCHED, members - 1);
  const renewals = 1_000 / timing.renewEveryMs;
  const looked = watched + 1 + Math.min(AT_ONCE, members - 1) + 2 * Math.min(AT_ONCE, own);
  const looks = (looked * LOOKS * 1_000) / ttlMs;
  const probes = probeMs > 0 ? (watched * 1_000) / probeMs : 0;
  const polls = 1_000 / POLL_MS;
  const pulls = ((1 + own) * 1_000) / PULL_MS;
  const sent = renewals + looks + polls + 2 * probes + pulls;
  return { sent, received: sent + 1_000 / WATCH_HEARTBEAT_MS + (own * 1_000) / READER_HEARTBEAT_MS };
}
