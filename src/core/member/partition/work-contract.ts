import type { FailurePolicy } from '../../config/retry.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { CallPorts } from './calls.js';
import type { FailurePorts } from './failures.js';
import type { GatePorts } from './gate.js';
import type { StopConsuming } from './handler.js';
import type { PartitionEvents } from './partition-events.js';

/** How messages are handled. */
export interface WorkSettings {
  /** How many handlers of one partition may run in parallel, each for a different key. Default 1. */
  concurrency?: number | undefined;
  failure: FailurePolicy;
  /** An attempt fails if it takes longer than this number of milliseconds; undefined if there is no limit. */
  handlerTimeoutMs?: number | undefined;
}

/** The dependencies of {@link PartitionWork}. */
export interface WorkPorts extends FailurePorts, CallPorts, GatePorts {
  events: Pick<PartitionEvents, 'attemptFailed' | 'handled'>;
}

/** The reason why a partition stops handling messages. */
export type Halt =
  | { kind: 'halted'; message: string; held: HoldUp }
  | { kind: 'stopped'; error: StopConsuming };

/** Receives the progress of the work. */
export interface WorkProgress {
  /**
   * Everything up to this message is settled. `messages` is the number of messages settled since the last report. This event is reported
   * even after the runner has ended.
   */
  advanced(message: StreamMessage, messages: number): void;
  /** Called when more handlers could run, but all accepted messages have to wait for running calls. */
  starving(): void;
  /** No more handlers are started; running handlers continue. */
  halting(halt: Halt): void;
}
