import type { DeadLetterFacts, MessageFacts, ReaderFacts, StreamFacts } from '../../core/ports/facts.js';
import type { MemberStats } from '../../core/protocol/member-stats.js';
import type { LeaseRecord, OverrideRecord, SessionRecord } from '../../core/protocol/records.js';
import type { Target } from './events.js';
import type { Series } from './series.js';

/** One session of the group, as its entry and its own answers show it. */
export interface Member {
  id: string;
  revision: number;
  /** null: the entry cannot be read. */
  record: SessionRecord | null;
  /** When it last renewed, as far as is known, and when that was looked at; null: its renewals have not been looked at. */
  renewedAt: number;
  lookedAt: number | null;
  /** What it last said about itself, and when; null: nothing yet. */
  stats: MemberStats | null;
  statsAt: number;
  /** Since when the server says that its connection is gone; null: it is there. */
  goneSince: number | null;
  /** Messages that it has handled, since it has had the partitions that it has now. */
  handled: Series;
  alloc: Series;
}

/** A partition's lease entry. */
export interface Lease {
  /** The epoch, while `record` names an owner. */
  revision: number;
  record: LeaseRecord | 'unreadable' | null;
  /** When it came to this. */
  since: number;
}

/** What an operator wants of a partition; null: nothing any more. */
export interface Override {
  revision: number;
  record: OverrideRecord | null;
}

/** How far a partition is handled. Null: not known. */
export interface Progress {
  position: number | null;
  /** The epoch that committed or told the position. */
  epoch: number;
  end: number | null;
  reader: ReaderFacts | null;
  /** Messages handled in this epoch, as its owner says. */
  handled: number | null;
  /** Messages after `after`, counted where there is no reader. */
  waiting: { after: number; count: number } | null;
  /** What the owner is doing with it, in its own word. */
  state: string | null;
  /** Messages that were handled, or at least delivered, in one epoch: never a mixture, which is no growth of anything. */
  counts: { of: 'handled' | 'delivered'; epoch: number; series: Series };
}

/** One thing that happened to the group. Names are people's names of members; `owner` is a session id. */
export type Update = { at: number } /** `ended`: it left or died before anybody looked. */ & (
  | { kind: 'joined' | 'leaving' | 'left' | 'ended'; owner: string; name: string }
  /** `silentMs`: since its last renewal. */
  | { kind: 'died'; owner: string; name: string; silentMs: number }
  | {
      kind: 'claimed' | 'handed-over';
      partition: number;
      owner: string;
      name: string;
      from: string | null;
      /** The session that had it; null: none, or not known. */
      fromSession: string | null;
      epoch: number;
      /** For how long the partition had no owner that lived; null: not known. */
      gapMs: number | null;
    }
  | { kind: 'released'; partition: number; from: string | null; fromSession: string | null }
  | { kind: 'paused' | 'resumed' | 'pinned' | 'unpinned'; partition: number; by: string; to: string | null }
  | { kind: 'unreadable'; key: string }
);

/** Who owned a partition from `at` on; null: nobody. */
export interface Stretch {
  at: number;
  owner: string | null;
}

/** All that the screen knows of the world. Immutable: every event makes a new one. */
export interface Model {
  /** The time of the last event. */
  now: number;
  startedAt: number;
  target: Target | null;
  connection: {
    state: 'connecting' | 'connected' | 'disconnected';
    since: number;
    attempts: number;
    server: string;
    version: string;
    roundTripMs: number | null;
  };
  missing: string | null;
  /** What cannot be seen, and why, by what it is. */
  problems: ReadonlyMap<string, string>;
  layout: { partitions: number; prefix: string } | null;
  /** The first snapshot of the group is here. */
  ready: boolean;
  members: ReadonlyMap<string, Member>;
  leases: ReadonlyMap<number, Lease>;
  /** What operators want of partitions. */
  overrides: ReadonlyMap<number, Override>;
  /** The newest entry's of those that were seen. */
  revision: number;
  /** Sessions that have ended: when, and by which revision. */
  ended: ReadonlyMap<string, { at: number; revision: number; name: string }>;
  /** The letter's number of each session, also of ended ones that the timeline still shows. */
  letters: ReadonlyMap<string, number>;
  progress: ReadonlyMap<number, Progress>;
  stream: { facts: StreamFacts; at: number; published: Series } | null;
  /** null: not looked at yet. */
  deadLetters: DeadLetterFacts | 'not-permitted' | null;
  /**
   * Messages that all members have handled since the first look, those that have ended meanwhile as well. `after`: by
   * members that have left after the last look.
   */
  handled: { series: Series; after: number };
  /** Of all partitions that are not paused. */
  lag: Series;
  /** Messages a second, of the stream and of all members together. */
  rates: { published: Series; handled: Series };
  updates: readonly Update[];
  /** How long new owners took from getting the lease to handling, milliseconds, by epoch; as far as they have said. */
  took: ReadonlyMap<number, number>;
  messages: readonly MessageFacts[];
  strips: ReadonlyMap<number, readonly Stretch[]>;
}

/** Nothing is known yet. */
export function initialModel(now: number): Model {
  return {
    now,
    startedAt: now,
    target: null,
    connection: {
      state: 'connecting',
      since: now,
      attempts: 0,
      server: '',
      version: '',
      roundTripMs: null,
    },
    missing: null,
    problems: new Map(),
    layout: null,
    ready: false,
    members: new Map(),
    leases: new Map(),
    overrides: new Map(),
    revision: 0,
    ended: new Map(),
    letters: new Map(),
    progress: new Map(),
    stream: null,
    deadLetters: null,
    handled: { series: [], after: 0 },
    lag: [],
    rates: { published: [], handled: [] },
    updates: [],
    took: new Map(),
    messages: [],
    strips: new Map(),
  };
}
