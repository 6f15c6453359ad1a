import type { Dealt, OnExhausted } from '../config/retry.js';
import type { Uncovered } from '../ports/facts.js';
import type { Trimmed } from '../ports/index.js';
import type { Report } from '../protocol/events.js';
import type { StreamMessage } from '../protocol/message.js';
import type { UncommittedRange } from './partition/partition-events.js';
import type { MemorySample } from './stats/memory.js';

/** Events of the group, by the type of their {@link Report}: `acquired`, `handed-over`, `fenced`, … */
type ReportEvents = { [T in Report['type']]: [report: Extract<Report, { type: T }>] };

/** A failed attempt, and the action that follows it. */
export interface FailedAttempt {
  partition: number;
  message: StreamMessage;
  attempt: number;
  error: unknown;
  then: 'retry' | OnExhausted;
}

/** The events of a member, with the arguments of listeners. */
export interface MemberEventMap extends ReportEvents {
  /** Any report. */
  report: [report: Report];
  /** A message was handled, skipped, or stored as a dead letter. */
  handled: [event: { partition: number; message: StreamMessage; how: Dealt }];
  /** All messages up to `sequence` are committed. `tookMs` is the time from sending the commit to its answer. */
  committed: [event: { partition: number; sequence: number; tookMs: number }];
  failed: [event: FailedAttempt];
  /** The stream dropped messages before they were handled, so this group has lost them. */
  trimmed: [event: { partition: number } & Trimmed];
  /**
   * The stream holds messages that belong to no partition, so no member ever sees them. The stream is checked at the start and every
   * 5 minutes.
   */
  uncovered: [found: Uncovered];
  /** The member of a keyed group handled a message without a key for the first time. Further messages without a key are only counted. */
  keyless: [event: { partition: number; sequence: number }];
  /** `crashes` owners in a row have died after position `after`. Messages are now handled one at a time. */
  cautious: [event: { partition: number; crashes: number; after: number }];
  /** A partition cannot be read at the moment. The next attempt starts after `retryMs` milliseconds. Emitted at most once a minute. */
  unread: [event: { partition: number; reason: string; retryMs: number }];
  /**
   * Handlers of these messages did not finish within the drain timeout. The partition moves to its next owner without waiting for these
   * handlers.
   */
  overdue: [event: { partition: number; sequences: number[] }];
  /** A partition moved before all handled messages were committed. Its next owner handles this range again. */
  uncommitted: [event: { partition: number } & UncommittedRange];
  /** The memory of this process, once per memory interval. */
  memory: [sample: MemorySample];
}

/** Counters of messages since the member started. */
export interface MemberCounters {
  /** Messages handled, skipped or stored as dead letters. */
  handled: number;
  /** Attempts that failed. */
  failed: number;
  /** Failed attempts that were followed by another attempt. */
  retried: number;
  /** Messages that were stored as dead letters and confirmed by the server. */
  deadLettered: number;
  /** Messages skipped by the failure policy, a judge or an operator. */
  skipped: number;
  /** Messages without a key in a keyed group. By default, their whole subject serves as the key. */
  withoutKey: number;
}
