import type {
  DeadLetterFacts,
  EndFacts,
  MessageFacts,
  PastEntry,
  PositionFacts,
  ReaderFacts,
  StatsFacts,
  StreamFacts,
  WaitingFacts,
} from '../../core/ports/facts.js';
import type { ViewEntry } from '../../core/protocol/events.js';

/** What is being looked at. */
export interface Target {
  /** URLs without credentials. */
  servers: string[];
  stream: string;
  group: string;
  bucket: string;
}

/**
 * Everything that the screen learns, as plain data: a recording is these events as NDJSON, and a replay needs
 * nothing else. `at`: milliseconds since 1970 by this process's clock, never going back; times inside the events are
 * on the same clock, except what members say about themselves.
 */
export type TopEvent = { at: number } & (
  | { type: 'target'; target: Target }
  | { type: 'connected'; server: string; version: string }
  | { type: 'disconnected' }
  /** Another attempt to come back is being made. */
  | { type: 'reconnecting' }
  | { type: 'round-trip'; ms: number }
  /** Something that should be there is not; the message says what to run. */
  | { type: 'missing'; message: string }
  /** Something cannot be seen, such as for lack of a permission; null: it can again. */
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
  | { type: 'stats'; facts: StatsFacts }
  | { type: 'messages'; messages: MessageFacts[] }
  /** A round of questions is over: what is known is of one time. */
  | { type: 'looked' }
  | { type: 'tick' }
);

/** A {@link TopEvent} before it is given its time. */
export type TopEventBody = TopEvent extends infer E ? (E extends TopEvent ? Omit<E, 'at'> : never) : never;
