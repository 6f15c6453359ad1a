import type { Clock } from '../../lib/clock.js';
import type { Bucket, DeadLetters, EventStream } from '../../ports/index.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import type { Alone } from './alone.js';
import type { CommitPolicy } from './commit-timer.js';
import type { HeldBack } from './gate.js';
import type { GiveUps } from './give-ups.js';
import type { Handler, InBatches } from './handler.js';
import type { Logger } from './logger.js';
import type { PartitionEvents } from './partition-events.js';
import type { PartitionState } from './partition-state.js';
import type { Pauses } from './pauses.js';
import type { Permit } from './permit.js';
import type { Barrier } from './position-writer.js';
import type { Quota } from './quota.js';
import type { CallLimit } from './slots.js';
import type { TimeSlice } from './time-slice.js';
import type { Judge } from './verdict.js';
import type { WorkSettings } from './work-contract.js';

/** How a partition is handled. */
export interface RunnerSettings extends WorkSettings {
  commit: CommitPolicy;
  drainTimeoutMs: number;
  /** After this many owners in a row have died at a message, the message fails; at least 2. */
  maxCrashes: number;
}

/** The dependencies of a runner. */
export interface RunnerPorts {
  events: PartitionEvents;
  bucket: Bucket;
  stream: EventStream;
  clock: Clock;
  permit: Permit;
  slice: TimeSlice;
  alone: Alone;
  random: () => number;
  handler: Handler | InBatches;
  logger: Logger;
  quota?: Quota | undefined;
  slots?: CallLimit | undefined;
  pauses?: Pauses | undefined;
  deadLetters?: DeadLetters | undefined;
  judge?: Judge | undefined;
  giveUps?: GiveUps | undefined;
  /** The program's state of the partition; absent if the program keeps no state. */
  state?: PartitionState | undefined;
  barrier?: Barrier | undefined;
}

/** The progress of a runner. */
export interface RunnerStatus {
  /** A shared reader found no message of the partition between the position and this sequence; 0 if unknown. */
  covered: number;
  /** Everything up to this sequence is handled; 0 before the start. */
  position: number;
  committed: number;
  /** The mark of the last handled position; undefined before the start. */
  mark?: PositionMark | undefined;
  handled: number;
  /** Messages not handled yet, in memory and on the server, as of the last delivery. */
  lag: number;
  /** When the first message in memory was stored, in milliseconds since 1970 on the server's clock; absent if there is none. */
  oldestAtMs?: number | undefined;
  /** Upper bound on the number of messages that the stream dropped before they were received under this epoch. */
  trimmed: number;
  /** True if no message was waiting at some time since the start. */
  caughtUp: boolean;
  /** `waiting`: no reader can be opened at the moment. */
  state: 'starting' | 'waiting' | 'running' | 'draining';
}

/** The current activity in a runner. */
export interface RunnerActivity {
  /** The messages whose handlers run. */
  running: readonly Pick<StreamMessage, 'sequence' | 'key'>[];
  /** Why no handler may start: the partition is paused, or the limit on calls is reached. Otherwise absent. */
  held?: HeldBack | undefined;
  /** True while the program acquires its state of the partition. */
  acquiring?: boolean;
  /** The failed message that holds up the partition, if any. */
  failing?: HoldUp | undefined;
}
