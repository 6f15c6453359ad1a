import { GroupEntries } from '../../core/admin/group-entries.js';
import type { GroupEvent } from '../../core/admin/group-event.js';
import type { Answer } from '../../core/admin/members.js';
import type { DeadLetterFacts, MessageFacts, ReaderFacts, StreamFacts } from '../../core/ports/facts.js';
import type { MemberStats } from '../../core/protocol/member-stats.js';
import type { Target } from './events.js';
import type { Series } from './series.js';

/** What is known of a member beside its session: its renewals, and what it says about itself. */
export interface Member {
  /** When it last renewed, as far as is known, and when that was looked at; null: its renewals have not been looked at. */
  renewedAt: number;
  lookedAt: number | null;
  answer: Answer;
  /** Since when it has not answered; null: it answered the last question. */
  unansweredSince: number | null;
  /** What it last said about itself, and when; null: nothing yet. */
  stats: MemberStats | null;
  statsAt: number | null;
  /** Messages that it has handled, since it has had the partitions that it has now. */
  handled: Series;
  alloc: Series;
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
  waiting: { after: number; count: number; ofGroup?: number | undefined } | null;
  /** When the position was last committed; null: not known. */
  committedAt: number | null;
  /** Messages that were handled, or at least delivered, in one epoch: never a mixture, which is no growth of anything. */
  counts: { of: 'handled' | 'delivered'; epoch: number; series: Series };
}

/** One thing that happened to the group. */
export type Update = GroupEvent & {
  at: number;
  /** Of a claim: for how long the partition had no owner that lived; null: not known. */
  gapMs?: number | null;
  /** Of a death: since the last renewal. */
  silentMs?: number;
};

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
  /** Its sessions, leases and overrides; never changed. */
  group: GroupEntries;
  /** By session. */
  members: ReadonlyMap<string, Member>;
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
    group: new GroupEntries(),
    members: new Map(),
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
