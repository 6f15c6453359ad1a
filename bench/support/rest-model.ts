import { timingFor } from '../../src/core/group/timing.js';

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

/** Each member looks after this many others (`group/suspicion.ts`). */
const WATCHED = 2;
/** One request for messages, of a reader or of the watch, waits this long (`nats/pull.ts`). */
const PULL_MS = 30_000;
/** The server's sign of life to an idle reader (`nats/event-stream.ts`) and to an idle watch (`nats/watch.ts`). */
const READER_HEARTBEAT_MS = 2_000;
const WATCH_HEARTBEAT_MS = 1_000;
/** The watch compares itself with the newest entry (`nats/watch.ts`). */
const POLL_MS = 3_000;
/** The watch asks for this many entries ahead, and again when half of them have come (`nats/pull.ts`). */
const AHEAD = 64;

/**
 * What a member's traffic at rest has to be, from the constants of the code: renewals and what the group's
 * watch brings of everybody's, questions about its own session, probes in both directions, polls, and the
 * requests and heartbeats of one reader a partition.
 */
export function messagesAtRest({ members, partitions, ttlMs, probeMs }: RestingGroup): MessageRates {
  const timing = timingFor(ttlMs, probeMs);
  const own = partitions / members;
  const renewals = 1_000 / timing.renewEveryMs;
  // A renewal is an answered question as well: the next one is due that much later.
  const questions = 1_000 / timing.confirmEveryMs - renewals / 2;
  const probes = probeMs > 0 ? (Math.min(WATCHED, members - 1) * 1_000) / probeMs : 0;
  const polls = 1_000 / POLL_MS;
  const watched = members * renewals;
  const watchRequests = watched > AHEAD / 2 / (PULL_MS / 1_000) ? watched / (AHEAD / 2) : 1_000 / PULL_MS;
  const readerRequests = (own * 1_000) / PULL_MS;
  // A heartbeat comes where nothing else has come for its time: renewals arrive at random.
  const watchBeats = (1_000 / WATCH_HEARTBEAT_MS) * Math.exp((-watched * WATCH_HEARTBEAT_MS) / 1_000);
  const requests = renewals + questions + polls;
  return {
    sent: requests + 2 * probes + watchRequests + readerRequests,
    received:
      requests + 2 * probes + watched + watchBeats + readerRequests + (own * 1_000) / READER_HEARTBEAT_MS,
  };
}
