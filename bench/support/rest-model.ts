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
/** How long a request for messages waits at the server, from a reader or from the watch (`nats/jetstream/pull.ts`). */
const PULL_MS = 30_000;
/** The server's heartbeat intervals of an idle reader (`nats/jetstream/event-stream.ts`) and an idle watch (`nats/kv/watch.ts`). */
const READER_HEARTBEAT_MS = 2_000;
const WATCH_HEARTBEAT_MS = 1_000;
/** The interval at which the watch compares itself with the newest entry (`nats/kv/watch.ts`). */
const POLL_MS = 3_000;
/**
 * How many times within the ttl proofs of life, sessions and leases are read (`failure-detector.ts`, `entry-looks.ts`).
 */
const LOOKS = 3;
/**
 * How many sessions of other members are read at a time, and how many own leases with their positions (`protocol/entry-looks.ts`).
 */
const AT_ONCE = 4;

/**
 * The expected traffic of a member at rest, computed from the constants of the code. It consists of renewals; reads of the next two proofs
 * of life in the ring, of all sessions in turn and of the member's own leases; probes in both directions; polls; and the requests and
 * heartbeats of the member's watch and of one reader for each partition.
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
