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
} from './facts.js';
import type { Watch, WatchSink } from './index.js';

/**
 * A stream and a group to look at. Nothing here changes them. Each method asks the server once; they reject with
 * a NatspocError, apart from `watch` and `stats`.
 */
export interface GroupObserver {
  /** Follows sessions and leases. */
  watch(sink: WatchSink): Watch;
  /** Past revisions of sessions, leases and proofs of life that the bucket still keeps, oldest first; of very many the newest. */
  history(): Promise<PastEntry[]>;
  /** All that the bucket keeps of one partition's lease, and of the proofs of life of its owners; each oldest first. */
  leaseHistory(partition: number): Promise<PastEntry[]>;
  /** The sessions and leases as they are now; deleted ones with a record of null. */
  entries(): Promise<PastEntry[]>;
  /** The newest entry of each proof of life. */
  proofs(): Promise<PastEntry[]>;
  /** The committed positions, and what stands in the place of one. */
  positions(): Promise<PositionFacts[]>;
  stream(): Promise<StreamFacts>;
  /** The stream's dead letters. `known`: what the last look found. */
  deadLetters(known: DeadLetterFacts | null): Promise<DeadLetterFacts>;
  /** The readers of these epochs, by partition; those that do not exist are left out. */
  readers(epochs: ReadonlyMap<number, number>): Promise<ReaderFacts[]>;
  /** When the message of a sequence was stored, on the server's clock; undefined: it is gone, or that is not told. */
  storedTime(sequence: number): Promise<number | undefined>;
  /** The last message of each partition. */
  ends(): Promise<EndFacts[]>;
  /** How many messages a partition holds after a sequence. */
  waiting(partition: number, after: number): Promise<WaitingFacts>;
  /** The sequences of the first messages of a partition after one, at most `limit`. */
  sequences(partition: number, after: number, limit: number): Promise<number[]>;
  /** When the first message of a partition after a sequence was stored, by our wall clock; null: there is none. */
  storedAt(partition: number, after: number): Promise<number | null>;
  /** The newest messages after a sequence, at most `limit`; the stream as it was seen last says where they are. */
  messages(stream: StreamFacts, after: number, limit: number): Promise<MessageFacts[]>;
  /** What these sessions say about themselves within `waitMs`. */
  stats(sessions: readonly string[], waitMs: number): Promise<StatsFacts>;
}
