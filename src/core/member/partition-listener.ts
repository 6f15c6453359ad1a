import type { MemberCounters, MemberEventMap } from './member-events.js';
import type { PartitionListener } from './partition/partition-events.js';

/** The callbacks through which events of partitions become events of their member. */
export interface PartitionTold {
  readonly counters: MemberCounters;
  /** True in a keyed group. */
  isKeyed(): boolean;
  /** True if the program listens to the event. */
  isHeard(event: keyof MemberEventMap): boolean;
  tell<E extends keyof MemberEventMap>(event: E, ...args: MemberEventMap[E]): void;
  /** A handler wants the whole member to stop. */
  stop(error: Error): void;
}

/** Creates the listener that counts and reports the events of one partition. */
export function partitionListener(partition: number, told: PartitionTold): PartitionListener {
  const { counters } = told;
  return {
    handled: (message, how) => {
      counters.handled++;
      if (how === 'dead-letter') counters.deadLettered++;
      else if (how === 'skip') counters.skipped++;
      // The key is read last, because reading it can decode the headers.
      const isFirst = told.isKeyed() && message.key === null && ++counters.withoutKey === 1;
      if (isFirst && how === 'handled') told.tell('keyless', { partition, sequence: message.sequence });
      if (told.isHeard('handled')) told.tell('handled', { partition, message, how });
    },
    attemptFailed: (message, attempt, error, then) => {
      counters.failed++;
      if (then === 'retry') counters.retried++;
      told.tell('failed', { partition, message, attempt, error, then });
    },
    committed: (sequence, tookMs) => told.tell('committed', { partition, sequence, tookMs }),
    overdue: (sequences) => told.tell('overdue', { partition, sequences }),
    uncommitted: (range) => told.tell('uncommitted', { partition, ...range }),
    trimmed: (trimmed) => told.tell('trimmed', { partition, ...trimmed }),
    cautious: (crashes, after) => told.tell('cautious', { partition, crashes, after }),
    unread: (reason, retryMs) => told.tell('unread', { partition, reason, retryMs }),
    stopped: (error) => told.stop(error),
  };
}
