import type { Dealt } from '../../config/retry.js';
import type { Clock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Bucket, DeadLetters, EventStream } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import type { CommitPolicy } from './committer.js';
import type { Handler, Logger } from './handler.js';
import type { Permit } from './permit.js';
import type { Quota } from './quota.js';
import type { Trimmed } from './stream-losses.js';
import type { TimeSlice } from './time-slice.js';
import type { WorkEvents, WorkSettings } from './work.js';

/** How a partition is handled. */
export interface RunnerSettings extends WorkSettings {
  commit: CommitPolicy;
  drainTimeoutMs: number;
}

/** Stream sequences that were handled and not committed. */
export interface UncommittedRange {
  /** The committed position: the range begins behind it. */
  after: number;
  /** The last handled sequence. */
  upTo: number;
}

/** What a runner tells its member; nothing is told after the runner has ended. */
export interface RunnerEvents {
  started(): void;
  /** A message is dealt with: handled, or passed over or stored as a dead letter by policy. */
  handled(message: StreamMessage, how: Dealt): void;
  committed(sequence: number, sentAt: number): void;
  /** It cannot go on for a passing reason: start it again. */
  failed(message: string): void;
  /** Halted until an operator acts: a message failed for good and the position stays before it, or the position cannot be read. */
  halted(message: string): void;
  /** The handler wants this whole member to stop; as after `halted`, the position stays before its message. */
  stopped(error: Error): void;
  /** One attempt failed; see {@link WorkEvents.attemptFailed}. */
  attemptFailed: WorkEvents['attemptFailed'];
  /** These messages are still running after the drain timeout; the next owner handles them again. */
  overdue(sequences: number[]): void;
  /** A drain could not commit everything in time: the next owner handles this range again. */
  uncommitted(range: UncommittedRange): void;
  /** The stream has dropped messages before they were handled. */
  trimmed(trimmed: Trimmed): void;
  /** Nothing can be read for now, see {@link PartitionReaderEvents.unread}. */
  unread(reason: string, retryMs: number): void;
  /** Nothing helps: not permitted, bucket or stream deleted. */
  terminal(error: NatspocError): void;
}

/** What a runner works with. */
export interface RunnerPorts {
  bucket: Bucket;
  stream: EventStream;
  clock: Clock;
  permit: Permit;
  slice: TimeSlice;
  random: () => number;
  handler: Handler;
  logger: Logger;
  quota?: Quota | undefined;
  deadLetters?: DeadLetters | undefined;
  /** See {@link CommitterPorts.barrier}. */
  barrier?: (() => Promise<void> | undefined) | undefined;
}

/** Where a runner stands. */
export interface RunnerStatus {
  /** The last sequence up to which everything is handled; 0 before the start. */
  position: number;
  /** The last committed one. */
  committed: number;
  /** What the last handled position was made on; undefined before the start. */
  mark?: PositionMark | undefined;
  handled: number;
  /** Messages that are not handled, here and at the server, as of the last delivery. */
  lag: number;
  /** Messages that the stream has dropped before they were received here under this epoch, at most. */
  trimmed: number;
  /** True once everything that was in the stream at some moment since the start has been handled. */
  caughtUp: boolean;
  /** `waiting`: there is no reader, and none can be opened for now. */
  state: 'starting' | 'waiting' | 'running' | 'draining';
}
