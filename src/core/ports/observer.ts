import type { Watch, WatchSink } from './bucket.js';
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
} from './facts.js';

/** A message of a keyed group. `partition` is null if the key comes from a function of the members' program. */
export interface PlacedMessage {
  sequence: number;
  partition: number | null;
}

/** Finds the messages of a keyed group's partitions, which the server does not know. */
export interface KeyedReads {
  /** The key as text: `subject:2`. */
  readonly key: string;
  /** False if the key comes from a function of the members' program (`function:NAME`). */
  readonly isFound: boolean;
  /**
   * Reads the group's messages from `after` (exclusive) to `upTo` (inclusive), in order. Stops early if the signal
   * aborts.
   *
   * @param partitions the number of partitions of the group.
   */
  placed(after: number, upTo: number, partitions: number, signal?: AbortSignal): AsyncIterable<PlacedMessage>;
}

/**
 * Reads a stream and a group, and changes nothing. Each method except `watch` and `stats` reads the current state once.
 * It rejects with a NatspocError if the read fails.
 */
export interface GroupObserver {
  readonly keyed?: KeyedReads | undefined;
  watch(sink: WatchSink): Watch;
  /** Past revisions of sessions, leases and proofs of life, oldest first. Of very many revisions, only the newest. */
  history(): Promise<PastEntry[]>;
  /** Past revisions of one partition's lease, oldest first. Then those of its owners' proofs of life. */
  leaseHistory(partition: number): Promise<PastEntry[]>;
  /** The current sessions and leases. The record of a deleted session or lease is null. */
  entries(): Promise<PastEntry[]>;
  proofs(): Promise<PastEntry[]>;
  /** The last finished bounded job; undefined if there is none or it cannot be read. */
  job(): Promise<JobFacts | undefined>;
  /** Partitions without a position start after this sequence; null if the start is undecided or cannot be read. */
  start(): Promise<number | null>;
  /** The committed positions, including unreadable positions. */
  positions(): Promise<PositionFacts[]>;
  stream(): Promise<StreamFacts>;
  /** The stream's dead letters. `known`: the previous result. */
  deadLetters(known: DeadLetterFacts | null): Promise<DeadLetterFacts>;
  /** The existing readers of these epochs. `epochs` maps partitions to epochs. */
  readers(epochs: ReadonlyMap<number, number>): Promise<ReaderFacts[]>;
  /** When a message was stored, on the server's clock; undefined if unknown. */
  storedTime(sequence: number): Promise<number | undefined>;
  /** The last message of each partition; in a keyed group, the last message of the stream. */
  ends(): Promise<EndFacts[]>;
  /** The number of messages of a partition after a sequence. */
  waiting(partition: number, after: number): Promise<WaitingFacts>;
  /**
   * The sequences of the first messages of a partition after the sequence `after`, at most `limit`. Not supported for a keyed group.
   */
  sequences(partition: number, after: number, limit: number): Promise<number[]>;
  /**
   * When a partition's first message after a sequence was stored, on this machine's wall clock; null if there is none.
   * In a keyed group, the first message of any partition counts.
   */
  storedAt(partition: number, after: number): Promise<number | null>;
  /** The newest messages after a sequence, at most `limit`. `stream`: its last known state. */
  messages(stream: StreamFacts, after: number, limit: number): Promise<MessageFacts[]>;
  /** The answers that these sessions send within `waitMs` milliseconds. */
  stats(sessions: readonly string[], waitMs: number): Promise<StatsFacts>;
}
