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
  /** Handlers of one partition that may run in parallel, each for a different key. Default 1. */
  concurrency?: number | undefined;
  failure: FailurePolicy;
  /** An attempt that takes longer fails; undefined: no limit. */
  handlerTimeoutMs?: number | undefined;
}

/** What {@link PartitionWork} works with. */
export interface WorkPorts extends FailurePorts, CallPorts, GatePorts {
  events: Pick<PartitionEvents, 'attemptFailed' | 'handled'>;
}

/** Why a partition stops handling. */
export type Halt =
  | { kind: 'halted'; message: string; held: HoldUp }
  | { kind: 'stopped'; error: StopConsuming };

/** Informs the runner. */
export interface WorkProgress {
  /** Everything up to this message is settled, `messages` more than before. Reported even after the end. */
  advanced(message: StreamMessage, messages: number): void;
  /** Handlers are idle, because all accepted messages wait for running calls. */
  starving(): void;
  /** No more messages are started; running handlers continue. */
  halting(halt: Halt): void;
}
