/**
 * What can be seen of a stream and a group from outside, as plain data: it can be recorded, replayed and
 * printed. Times of the server are milliseconds since 1970 on the observer's clock, unless said otherwise.
 */
import type { ProofEntry, ViewEntry } from '../protocol/events.js';
import type { MemberStats } from '../protocol/member-stats.js';
import type { Unreadable } from '../protocol/records.js';

/** The stream's state and limits. A limit of null: none. */
export interface StreamFacts {
  name: string;
  subjects: string[];
  messages: number;
  bytes: number;
  firstSequence: number;
  lastSequence: number;
  /** When the first and last stored messages were stored, on the server's clock; null: the stream is empty. */
  firstAtMs: number | null;
  lastAtMs: number | null;
  /** When it was created, on the server's clock; absent: the server does not say. */
  createdAtMs?: number;
  /** Consumers of any kind, the group's readers among them. */
  consumers: number;
  storage: 'file' | 'memory';
  replicas: number;
  /** Name of the server that leads; null: not clustered, or an election is on. */
  leader: string | null;
  /** The other replicas, where clustered. */
  followers: { name: string; current: boolean }[];
  maxMessages: number | null;
  maxBytes: number | null;
  maxAgeMs: number | null;
  duplicateWindowMs: number | null;
  /** Messages stored in each partition, by partition; sparse ones are 0. */
  counts: number[];
}

/** A partition's reader on the server. */
export interface ReaderFacts {
  partition: number;
  epoch: number;
  /** The last message that it has delivered: its sequence in the stream, and its number since the reader began. */
  deliveredSequence: number;
  deliveredCount: number;
  /** Messages of the partition that it has not delivered yet. */
  pending: number;
}

/** The last sequence that the group has handled in a partition. */
export interface PositionFacts {
  partition: number;
  sequence: number;
  epoch: number;
  /** When it was last committed. */
  atMs: number;
  /** What the stream had dropped before it was handled, at most; absent: nothing. */
  trimmed?: number;
  /** What it was made on; see `PositionMark`. */
  created?: number;
  stored?: number;
  /** What stands there is no position that this version reads: sequence and epoch are 0, and say nothing. */
  unreadable?: Unreadable;
}

/** The last message stored in a partition. */
export interface EndFacts {
  partition: number;
  sequence: number;
  atMs: number;
}

/** Messages of a partition after a sequence, counted by the server. */
export interface WaitingFacts {
  partition: number;
  after: number;
  count: number;
}

/** A stored message with the beginning of its payload as text; `preview` null: not text. */
export interface MessageFacts {
  sequence: number;
  /** null: a subject that is not one of the layout's. */
  partition: number | null;
  subject: string;
  atMs: number;
  key: string | null;
  /** Bytes of payload. */
  size: number;
  preview: string | null;
}

/** The dead letters of a stream: messages that handlers failed on and that were put aside. */
export interface DeadLetterFacts {
  /** The stream that holds them. */
  stream: string;
  messages: number;
  bytes: number;
  lastSequence: number;
  /** The last of them; null: there is none, or it is no dead letter of this stream. */
  last: {
    partition: number;
    /** Its sequence in the stream that it came from. */
    sequence: number;
    group: string;
    attempts: number;
    error: string;
    /** When it was put aside, ISO 8601, on the clock of the member that did. */
    at: string;
  } | null;
}

/** An entry of the group's past, and when the server stored it. */
export interface PastEntry {
  atMs: number;
  entry: ViewEntry | ProofEntry;
}

/** What members answered about themselves, and who certainly did not (no such connection). */
export interface StatsFacts {
  members: MemberStats[];
  /** Sessions for which the server reports no responders. */
  gone: string[];
  /** Asking was not permitted: silence says nothing. */
  denied?: boolean;
}
