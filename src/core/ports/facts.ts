/**
 * Observations of a stream and a group, as plain data that can be recorded, replayed and printed. Times of the server
 * are milliseconds since 1970 on the observer's clock, unless noted otherwise.
 */
import type { ProofEntry, ViewEntry } from '../protocol/events.js';
import type { MemberStats } from '../protocol/member-stats.js';
import type { Unreadable } from '../protocol/record-format.js';

/** Messages of a stream that no partition takes: no member ever sees them. */
export interface Uncovered {
  messages: number;
  /** The subject of one of them; null: not known. */
  example: string | null;
}

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
  /** When it was created, on the server's clock; absent: unknown. */
  createdAtMs?: number;
  /** Consumers of any kind, including the group's readers. */
  consumers: number;
  storage: 'file' | 'memory';
  replicas: number;
  /** Name of the leading server; null: not clustered, or an election is running. */
  leader: string | null;
  /** The other replicas, if clustered. */
  followers: { name: string; current: boolean }[];
  maxMessages: number | null;
  maxBytes: number | null;
  maxAgeMs: number | null;
  duplicateWindowMs: number | null;
  /** Messages stored in each partition; empty: the server cannot count them. */
  counts: number[];
  /** Messages that no partition takes; absent: none are known. */
  uncovered?: Uncovered;
}

/** A partition's reader on the server. */
export interface ReaderFacts {
  partition: number;
  epoch: number;
  /** The last delivered message: its sequence in the stream, and its number since the reader started. */
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
  /** Upper bound of messages that the stream dropped before they were handled; absent: none. */
  trimmed?: number;
  /** See `PositionMark`. */
  created?: number;
  stored?: number;
  /** The epoch of the layout of its partition; absent: 0. */
  layout?: number;
  /** A seek has moved it since the last resize. */
  sought?: true;
  /** The position cannot be read: sequence and epoch are 0 and meaningless. */
  unreadable?: Unreadable;
}

/** A job that a member of the group finished, before it left. */
export interface JobFacts {
  /** The revision of its entry, which orders it among sessions and leases. */
  revision: number;
  /** When it was finished, on the member's clock; for people. */
  atMs: number;
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
  /** In a keyed group, the share of `ofGroup`: an estimate. */
  count: number;
  /** For a keyed group: messages of all its partitions after the sequence. */
  ofGroup?: number;
  /** When the first of these was stored; null: not known; absent: not asked. */
  storedAtMs?: number | null;
}

/** A stored message with the start of its payload as text; `preview` null: not text. */
export interface MessageFacts {
  sequence: number;
  /** null: a subject that is not one of the layout's. */
  partition: number | null;
  subject: string;
  atMs: number;
  key: string | null;
  /** Its headers, the first ones; absent: none, or not read. */
  headers?: [name: string, value: string][];
  /** Bytes of payload. */
  size: number;
  preview: string | null;
}

/** The dead letters of a stream: messages whose handlers failed for good. */
export interface DeadLetterFacts {
  /** The stream that holds them. */
  stream: string;
  messages: number;
  bytes: number;
  lastSequence: number;
  /** The last one; null: none, or it is not a dead letter of this stream. */
  last: {
    partition: number;
    /** The message's sequence in its original stream. */
    sequence: number;
    group: string;
    attempts: number;
    error: string;
    /** When it was stored, ISO 8601, on the clock of the member. */
    at: string;
  } | null;
}

/** An entry of the group's past, and when the server stored it. */
export interface PastEntry {
  atMs: number;
  entry: ViewEntry | ProofEntry;
}

/** Answers of members about themselves, and members that certainly did not answer (no such connection). */
export interface StatsFacts {
  members: MemberStats[];
  /** Sessions for which the server reports no responders. */
  gone: string[];
  /** The requests were not permitted: silence means nothing. */
  denied?: boolean;
}
