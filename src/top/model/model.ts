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

/** The facts about a member that are not in its session. */
export interface Member {
  /** The last known renewal, and when it was read. `lookedAt` is null until it is read. */
  renewedAt: number;
  lookedAt: number | null;
  answer: Answer;
  /** When the member stopped answering; null if it answered the last request. */
  unansweredSince: number | null;
  /** The member's last answer and its time; null if there is none. */
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
  /** Messages after the position, as counted by the owner's reader. Without a reader, the server counts them. */
  waiting: Omit<WaitingFacts, 'partition'> | null;
  /** When the position was last committed; null if unknown. */
  committedAt: number | null;
  /** Handled or delivered messages of one epoch. A series never mixes the two. */
  counts: { of: 'handled' | 'delivered'; epoch: number; series: Series };
}

/** Events that do not come from the entries of a group, but from answers of members or the connection. */
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
  /** For a claim: how long the partition had no living owner; null if unknown. */
  gapMs?: number | null;
  /** For a death: the time since the last renewal. */
  silentMs?: number;
};

/** The owner of a partition from `at` onwards; null if it has no owner. */
export interface Stretch {
  at: number;
  owner: string | null;
  /** True if the partition had no owner although messages waited or arrived. */
  waited?: true;
}

/** The place in a recording. Times are in milliseconds since 1970, as in the events. */
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
  /** The sessions, leases and overrides of the group. The object is never changed. */
  group: GroupEntries;
  members: ReadonlyMap<string, Member>;
  /** The number of each session's letter. Ended sessions keep theirs while the timeline shows them. */
  letters: ReadonlyMap<string, number>;
  progress: ReadonlyMap<number, Progress>;
  stream: { facts: StreamFacts; at: number; published: Series } | null;
  /** The last finished bounded job of a member; null if none is known. */
  job: JobFacts | null;
  /** null: not read yet. */
  deadLetters: DeadLetterFacts | 'not-permitted' | null;
  /**
   * The messages that all members, including ended ones, have handled since the first polling round. `after` estimates the messages that
   * members handled after the last round, until they left.
   */
  handled: { series: Series; after: number };
  /** The lag of all partitions that are not paused. */
  lag: Series;
  /** Messages per second, of the stream and of all members together. */
  rates: { published: Series; handled: Series };
  updates: readonly Update[];
  /** How long each new owner took to start after it got the lease, in milliseconds, by epoch. */
  took: ReadonlyMap<number, number>;
  messages: readonly MessageFacts[];
  strips: ReadonlyMap<number, readonly Stretch[]>;
  /** The place in a recording; null if the model is live. */
  replay: Replay | null;
}

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
