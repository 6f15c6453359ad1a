import type { Clock } from '../lib/clock.js';
import type { OpenPublishPort } from '../ports/publishing.js';
import type { Outcomes } from './outcomes.js';

/** The options of a transmitter. Times are in milliseconds. */
export interface TransmitterOptions {
  openPort: OpenPublishPort;
  clock: Clock;
  outcomes: Outcomes;
  partitions: number;
  timeoutMs: number;
  maxPendingMessages: number;
  maxPendingBytes: number;
  /** True if at most one message of each partition may be in flight. */
  ordered: boolean;
  /** Called after one or more messages have left the window. */
  onSettled: () => void;
}
