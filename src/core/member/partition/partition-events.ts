import type { Dealt, OnExhausted } from '../../config/retry.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Trimmed } from '../../ports/index.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import type { StreamMessage } from '../../protocol/message.js';

/** Stream sequences that were handled and not committed. */
export interface UncommittedRange {
  /** The committed position, after which the range begins. */
  after: number;
  /** The last handled sequence. */
  upTo: number;
}

/** Receives the events of one partition of a member. A runner that has ended causes no more events. */
export interface PartitionListener {
  /** A message was handled, skipped, or stored as a dead letter. */
  handled(message: StreamMessage, how: Dealt): void;
  /** One attempt failed. */
  attemptFailed(message: StreamMessage, attempt: number, error: unknown, then: 'retry' | OnExhausted): void;
  /** All messages up to `sequence` are committed. `tookMs` is the time from sending the commit to its answer. */
  committed?(sequence: number, tookMs: number): void;
  /** The stream dropped messages before they were handled. */
  trimmed?(trimmed: Trimmed): void;
  /** Several owners in a row (`crashes`) died shortly after position `after`. Messages are now handled one at a time. */
  cautious?(crashes: number, after: number): void;
  /** The partition cannot be read at the moment; the next attempt starts after `retryMs` milliseconds. Reported at most once a minute. */
  unread?(reason: string, retryMs: number): void;
  /** Handlers of these messages still run after the drain timeout. The next owner handles the messages again. */
  overdue?(sequences: number[]): void;
  /** A drain could not commit everything in time. The next owner handles this range again. */
  uncommitted?(range: UncommittedRange): void;
  /** A handler wants the whole member to stop; reported after `halted`. */
  stopped?(error: Error): void;
}

/** All events of one partition under one epoch. `failed`, `halted` and `terminal` end the runner. */
export interface PartitionEvents extends PartitionListener {
  started(): void;
  /** A temporary failure. The partition must be started again. */
  failed(message: string): void;
  /**
   * The partition is halted until an operator acts. Either the position cannot be read, or a message failed for good. The position then
   * stays before this message.
   *
   * @param held the message that caused the halt, if any.
   */
  halted(message: string, held?: HoldUp): void;
  /** A failure that no retry can fix: not permitted, or the bucket or stream was deleted. */
  terminal(error: NatspocError): void;
}
