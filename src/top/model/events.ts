import type {
  DeadLetterFacts,
  EndFacts,
  JobFacts,
  MessageFacts,
  PastEntry,
  PositionFacts,
  ReaderFacts,
  StatsFacts,
  StreamFacts,
  WaitingFacts,
} from '../../core/ports/facts.js';
import type { ViewEntry } from '../../core/protocol/events.js';

/** The observed stream and group. */
export interface Target {
  /** URLs without credentials. */
  servers: string[];
  stream: string;
  group: string;
  bucket: string;
}

/**
 * Everything that the screen learns, as plain data. A recording consists of these events as NDJSON. `at` is in milliseconds since 1970 on
 * this process's clock, and never decreases. Members report times on their own clocks. All other times are on this process's clock.
 */
export type TopEvent = { at: number } & (
  | { type: 'target'; target: Target }
  | { type: 'connected'; server: string; version: string }
  | { type: 'disconnected' }
  /** Another attempt to reconnect. */
  | { type: 'reconnecting' }
  | { type: 'round-trip'; ms: number }
  /** The stream or group does not exist. The message says which command to run. */
  | { type: 'missing'; message: string }
  /** A fact cannot be read, for example because a permission is missing. `message` is null when it can be read again. */
  | { type: 'problem'; what: string; message: string | null }
  | { type: 'found'; partitions: number; prefix: string }
  | { type: 'history'; entries: PastEntry[] }
  | { type: 'snapshot'; entries: ViewEntry[] }
  | { type: 'changes'; entries: ViewEntry[] }
  /** The newest proofs of life. */
  | { type: 'proofs'; proofs: PastEntry[] }
  | { type: 'stream'; facts: StreamFacts }
  | { type: 'dead-letters'; facts: DeadLetterFacts | 'not-permitted' }
  | { type: 'positions'; positions: PositionFacts[] }
  | { type: 'ends'; ends: EndFacts[] }
  | { type: 'readers'; readers: ReaderFacts[] }
  | { type: 'waiting'; waiting: WaitingFacts[] }
  /** The last finished job of a group without members; null if there is none. */
  | { type: 'job'; job: JobFacts | null }
  | { type: 'stats'; facts: StatsFacts }
  | { type: 'messages'; messages: MessageFacts[] }
  /** A polling round is complete: all facts are from about the same time. */
  | { type: 'looked' }
  | { type: 'tick' }
);

/** A {@link TopEvent} without its time. */
export type TopEventBody = TopEvent extends infer E ? (E extends TopEvent ? Omit<E, 'at'> : never) : never;
