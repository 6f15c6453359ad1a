import { GroupEntries } from '../../core/admin/group-entries.js';
import type { GroupEvent } from '../../core/admin/group-event.js';
import type { Answer } from '../../core/admin/members.js';
import type {
  DeadLetterFacts,
  JobFacts,
  MessageFacts,
  ReaderFacts,
  StreamFacts,
  WaitingFacts,
} from '../../core/ports/facts.js';
import type { HoldUp } from '../../core/protocol/hold-up.js';
import type { MemberStats } from '../../core/protocol/member-stats.js';
import type { Target } from './events.js';
import type { Series } from './series.js';

/** The facts about a member that its session does not contain: its renewals and its answers. */
export interface Member {
  /** The last known renewal, and when it was read; null: not read yet. */
  renewedAt: number;
  lookedAt: number | null;
  answer: Answer;
  /** Since when the member has not answered; null if it answered the last request. */
  unansweredSince: number | null;
  /** The last answer of the member, and its time; null: none yet. */
  stats: MemberStats | null;
  statsAt: number | null;
  /** Messages that the member has handled since its partitions last changed. */
  handled: Series;
  alloc: Series;
}

/** The progress of a partition. Null: unknown. */
export interface Progress {
  position: number | null;
  /** The epoch that committed or reported the position. */
  epoch: number;
  end: number | null;
  reader: ReaderFacts | null;
  /** Messages handled in this epoch, as the owner reports. */
  handled: number | null;
  /** Messages after the position: the number that the owner's reader reports, or that the server counts if there is no reader. */
  waiting: Omit<WaitingFacts, 'partition'> | null;
  /** When the position was last committed; null: not known. */
  committedAt: number | null;
  /**
   * Handled or delivered messages of one epoch. A series never mixes handled and delivered messages, because no rate could be computed from
   * such a series.
   */
  counts: { of: 'handled' | 'delivered'; epoch: number; series: Series };
}

/** Events that follow from the answers of members or from a lost connection, and not from the entries of a group. */
type SeenEvent =
  /** A partition needs attention, or no longer needs it. */
  | {
      event: 'held-up';
      partition: number;
      member: string;
      session: string;
      why: HoldUp['why'];
      reason: string;
    }
  | { event: 'continues'; partition: number; member: string; session: string; heldMs: number }
  /** The screen lost its connection to the server, and reconnected after `afterMs`. */
  | { event: 'disconnected'; server: string }
  | { event: 'reconnected'; server: string; afterMs: number };

/** An event of the group, or of the connection to it. */
export type Update = (GroupEvent | SeenEvent) & {
  at: number;
  /** For a claim: how long the partition had no living owner; null: unknown. */
  gapMs?: number | null;
  /** For a death: the time since the last renewal. */
  silentMs?: number;
};

/** The owner of a partition from `at` onwards; null if it has no owner. */
export interface Stretch {
  at: number;
  owner: string | null;
  /** True if the partition had no owner, and messages are known to have waited or arrived. */
  waited?: true;
}

/** The place in a recording that is replayed. Times are in milliseconds since 1970, like those of the events. */
export interface Replay {
  at: number;
  startAt: number;
  endAt: number;
  /** The speed of the replay, as a multiple of the recorded speed. */
  speed: number;
  isPlaying: boolean;
}

/** Everything that the screen knows. Immutable: every event makes a new model. */
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
  /** Facts that cannot be read, each with the reason. */
  problems: ReadonlyMap<string, string>;
  layout: { partitions: number; prefix: string } | null;
  /** True once the first snapshot of the group has arrived. */
  ready: boolean;
  /** The sessions, leases and overrides of the group. The GroupEntries object is never changed. */
  group: GroupEntries;
  /** The members, by session. */
  members: ReadonlyMap<string, Member>;
  /** For each session, the number of its letter, also for ended sessions that the timeline still shows. */
  letters: ReadonlyMap<string, number>;
  progress: ReadonlyMap<number, Progress>;
  stream: { facts: StreamFacts; at: number; published: Series } | null;
  /** The last finished bounded job of a member; null: none is known. */
  job: JobFacts | null;
  /** null: not read yet. */
  deadLetters: DeadLetterFacts | 'not-permitted' | null;
  /**
   * The messages that all members, including ended members, have handled since the first polling round. `after`: the estimated number of
   * messages that members handled between the last round and their departure.
   */
  handled: { series: Series; after: number };
  /** The lag of all partitions that are not paused. */
  lag: Series;
  /** Messages per second, of the stream and of all members together. */
  rates: { published: Series; handled: Series };
  updates: readonly Update[];
  /** The reported time from getting a lease to handling messages, in milliseconds, by epoch. */
  took: ReadonlyMap<number, number>;
  messages: readonly MessageFacts[];
  strips: ReadonlyMap<number, readonly Stretch[]>;
  /** The place in a recording; null: the model is live. */
  replay: Replay | null;
}

/** Maximum number of updates that are kept. */
const MAX_UPDATES = 1_000;

/** The newest updates, at most `MAX_UPDATES`. */
export const keptUpdates = (known: readonly Update[], fresh: readonly Update[] = []): readonly Update[] =>
  fresh.length === 0 && known.length <= MAX_UPDATES ? known : [...known, ...fresh].slice(-MAX_UPDATES);

/** The model before the first event. */
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
    job: null,
    deadLetters: null,
    handled: { series: [], after: 0 },
    lag: [],
    rates: { published: [], handled: [] },
    updates: [],
    took: new Map(),
    messages: [],
    strips: new Map(),
    replay: null,
  };
}
