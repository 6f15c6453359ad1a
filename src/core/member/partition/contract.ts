import type { Clock } from '../../lib/clock.js';
import type { Bucket, DeadLetters, EventStream } from '../../ports/index.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import type { CommitPolicy } from './committer.js';
import type { Handler, Logger } from './handler.js';
import type { PartitionEvents } from './partition-events.js';
import type { Permit } from './permit.js';
import type { Quota } from './quota.js';
import type { TimeSlice } from './time-slice.js';
import type { WorkSettings } from './work.js';

/** How a partition is handled. */
export interface RunnerSettings extends WorkSettings {
  commit: CommitPolicy;
  drainTimeoutMs: number;
}

/** What a runner works with. */
export interface RunnerPorts {
  events: PartitionEvents;
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
