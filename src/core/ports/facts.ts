/**
 * Observations of a stream and a group, as plain data that can be recorded, replayed and printed. Unless noted
 * otherwise, times are in milliseconds since 1970 on the observer's clock.
 */
import type { ProofEntry, ViewEntry } from '../protocol/events.js';
import type { MemberStats } from '../protocol/member-stats.js';
import type { Unreadable } from '../protocol/record-format.js';

/** Messages of a stream that belong to no partition. No member ever gets them. */
export interface Uncovered {
  messages: number;
  /** The subject of one message without a partition; null if unknown. */
  example: string | null;
}

/** The stream's state and limits. null means no limit. */
export interface StreamFacts {
  name: string;
  subjects: string[];
  messages: number;
  bytes: number;
  firstSequence: number;
  lastSequence: number;
  /** When the first and the last message were stored, on the server's clock; null if the stream is empty. */
  firstAtMs: number | null;
  lastAtMs: number | null;
  /** When the stream was created, on the server's clock; absent if unknown. */
  createdAtMs?: number;
  /** Consumers of any kind, including the group's readers. */
  consumers: number;
  storage: 'file' | 'memory';
  replicas: number;
  /** Name of the leading server; null without a cluster, or during an election. */
  leader: string | null;
  /** The replicas except the leader; empty without a cluster. */
  followers: { name: string; current: boolean }[];
  maxMessages: number | null;
  maxBytes: number | null;
  maxAgeMs: number | null;
  duplicateWindowMs: number | null;
  /** The number of stored messages in each partition; empty if the server cannot count them. */
  counts: number[];
  /** Messages that belong to no partition; absent if none are known. */
  uncovered?: Uncovered;
}

/** A partition's reader on the server. */
export interface ReaderFacts {
  partition: number;
  epoch: number;
  /** The last delivered message: its sequence in the stream, and its number since the reader started. */
  deliveredSequence: number;
  deliveredCount: number;
  /** Messages of the partition that the reader has not delivered yet. */
  pending: number;
}

/** The last sequence that the group has handled in a partition. */
export interface PositionFacts {
  partition: number;
  sequence: number;
  epoch: number;
  /** When the position was last committed. */
  atMs: number;
  /** At most this number of messages were dropped before they were handled; absent if none were. */
  trimmed?: number;
  /** `created` and `stored`: see `PositionMark`. */
  created?: number;
  stored?: number;
  /** The epoch of the partition's layout; absent means 0. */
  layout?: number;
  /** Present if a seek has moved the position since the last resize. */
  sought?: true;
  /** Present if the position cannot be read. Sequence and epoch are then 0 and mean nothing. */
  unreadable?: Unreadable;
}

/** A bounded job that a member of the group finished before it left. */
export interface JobFacts {
  /** The revision of the job's entry. A session or lease with a higher revision changed after the job. */
  revision: number;
  /** When the job was finished, on the member's clock; for display only. */
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
  /** In a keyed group, an estimate: the partition's share of `ofGroup`. */
  count: number;
  /** Present if the count is an estimate, because the stream has no room for a consumer that counts. */
  isEstimate?: true;
  /** For a keyed group, the number of messages of all its partitions after the sequence. */
  ofGroup?: number;
  /** When the first of these messages was stored; null if unknown, absent if not requested. */
  storedAtMs?: number | null;
}

/** A stored message with the start of its payload as text; `preview` is null if the payload is not text. */
export interface MessageFacts {
  sequence: number;
  /** null if the subject does not belong to the layout. */
  partition: number | null;
  subject: string;
  atMs: number;
  key: string | null;
  /** The first headers; absent if there are none, or if they were not read. */
  headers?: [name: string, value: string][];
  /** Bytes of payload. */
  size: number;
  preview: string | null;
}

/** The dead letters of a stream: messages whose handlers failed for good. */
export interface DeadLetterFacts {
  /** The stream that holds the dead letters. */
  stream: string;
  messages: number;
  bytes: number;
  lastSequence: number;
  /** The last letter; null if there is none, or if the last message is no dead letter of the observed stream. */
  last: {
    partition: number;
    /** The message's sequence in its original stream. */
    sequence: number;
    group: string;
    attempts: number;
    error: string;
    /** When the letter was stored, as ISO 8601, on the clock of the member. */
    at: string;
  } | null;
}

/** A past or current entry of the group, and when the server stored it. */
export interface PastEntry {
  atMs: number;
  entry: ViewEntry | ProofEntry;
}

/** Members' reports about themselves, and sessions that certainly have no connection. */
export interface StatsFacts {
  members: MemberStats[];
  /** Sessions for which the server reports no responders. */
  gone: string[];
  /** True if the requests were not permitted. Then a missing answer does not mean that a member is gone. */
  denied?: boolean;
}
