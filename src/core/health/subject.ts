import type { HoldUp } from '../protocol/hold-up.js';

/** The part of a member that health checks and metrics read; `GroupMember` implements it. */
export interface HealthSubject {
  /** Session id; null while the member has no session. */
  readonly id: string | null;
  /** The member's partitions and their progress. `lag` is a number of messages. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly state: string;
    readonly position: number;
    readonly lag: number;
    readonly oldestAtMs?: number | undefined;
    readonly pause?: { readonly by: string; readonly at: string } | undefined;
    readonly holdUp?: HoldUp | undefined;
  }[];
  /** Partitions without progress; `partition` is null for the member as a whole. */
  readonly standing: readonly {
    readonly partition: number | null;
    readonly why: 'handler' | 'stuck';
    readonly reason: string;
    readonly forMs: number;
  }[];
  /** Numbers of messages and attempts since the member started. */
  readonly counters: {
    readonly handled: number;
    readonly failed: number;
    readonly deadLettered: number;
    readonly skipped: number;
    readonly withoutKey: number;
  };
  /** The member's measurements. Rates are in messages per second. */
  readonly stats: {
    readonly partitions: readonly {
      readonly partition: number;
      readonly lag?: number;
      readonly ratePerSecond?: number;
    }[];
  };
  /** The current memory of this process, in bytes. */
  readonly memory: { readonly allocBytes: number; readonly sysBytes: number };
  on(type: 'committed', listener: (commit: { readonly tookMs: number }) => void): unknown;
  on(type: 'trimmed', listener: (loss: { readonly atMost: number }) => void): unknown;
  on(type: 'acquired', listener: (event: { readonly again: boolean }) => void): unknown;
  on(type: HealthEvent, listener: () => void): unknown;
}

/** Events of a member that affect its health or its counters. */
export type HealthEvent =
  | 'joined'
  | 'expired'
  | 'resumed'
  | 'fenced'
  | 'disconnected'
  | 'handed-over'
  | 'released'
  | 'lost';
