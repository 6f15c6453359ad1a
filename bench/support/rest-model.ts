import { timingFor } from '../../src/core/protocol/timing.js';

/** A group in which no messages are published and no partitions move. */
export interface RestingGroup {
  members: number;
  partitions: number;
  ttlMs: number;
  /** 0: members do not probe each other. */
  probeMs: number;
}

/** Messages a second of one member. */
export interface MessageRates {
  /** Messages from the member to the server. */
  sent: number;
  /** Messages from the server to the member. */
  received: number;
}

/** How many other members a member observes (`protocol/failure-detector.ts`). */
const WATCHED = 2;
/** How long a request for messages from a reader or the watch waits at the server (`nats/jetstream/request-limits.ts`). */
const PULL_MS = 30_000;
/**
 * How often the server sends a heartbeat: to an idle reader (`nats/jetstream/event-stream.ts`), and to an idle watch (`nats/kv/watch.ts`).
 */
const READER_HEARTBEAT_MS = 2_000;
const WATCH_HEARTBEAT_MS = 1_000;
/** How often the watch checks whether it has received the newest entry (`nats/kv/watch.ts`). */
const POLL_MS = 3_000;
/** How often in one ttl a member reads proofs of life, sessions and leases (`failure-detector.ts`, `entry-looks.ts`). */
const LOOKS = 3;
/** A member reads this many sessions of other members at a time, and this many of its own leases (`protocol/entry-looks.ts`). */
const AT_ONCE = 4;

/**
 * The expected traffic of a member at rest: renewals, reads, probes in both directions and polls, and the requests and heartbeats of its
 * watch and its readers.
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
