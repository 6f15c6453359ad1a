import type { EventEmitter } from 'node:events';
import type { SeekOutcome } from '../admin/seek.js';
import type { SeekTarget } from '../admin/seek-target.js';
import type { MemberCounters, MemberEventMap } from '../member/member-events.js';
import type { MemorySample } from '../member/stats/memory.js';
import type { HoldUp } from '../protocol/hold-up.js';
import type { MemberStats } from '../protocol/member-stats.js';
import type { HandlerContext, Message } from './handling.js';

/** One partition as its owner sees it. Sequences are those of the stream. */
export interface PartitionStatus {
  readonly partition: number;
  readonly epoch: number;
  /**
   * `retrying`: a message failed and is tried again. `waiting`: the partition failed for now and will start again.
   * `halted`, `paused`: an operator has to act before the partition continues.
   */
  readonly state: 'starting' | 'waiting' | 'running' | 'retrying' | 'draining' | 'halted' | 'paused';
  /**
   * An operator's pause: the operator's name, and the time on the operator's wall clock (ISO 8601). Absent without a
   * pause.
   */
  readonly pause?: { readonly by: string; readonly at: string } | undefined;
  /** Why the partition is held up, if it is. */
  readonly holdUp?: HoldUp | undefined;
  /** Everything up to this sequence is handled; 0 before the start. */
  readonly position: number;
  /** Everything up to this sequence is committed. */
  readonly committed: number;
  /** Number of messages handled in this epoch. */
  readonly handled: number;
  /** Number of messages that are not handled yet, in memory and on the server, as of the last delivery. */
  readonly lag: number;
  /**
   * When the first message in memory was stored, in milliseconds since 1970 on the server's clock. Absent without such a
   * message.
   */
  readonly oldestAtMs?: number | undefined;
  /** At most this number of messages were dropped in this epoch, before the owner received them. */
  readonly trimmed: number;
  /** True if the owner has caught up at least once since the start: it had handled every message in the stream. */
  readonly caughtUp: boolean;
}

/** A partition, or the whole member, that makes no progress. */
export interface Standing {
  /** The number of the partition; null for the member as a whole. */
  readonly partition: number | null;
  /** `handler`: a handler is slow or repeats a failed message. The group is healthy. */
  readonly why: 'handler' | 'stuck';
  readonly reason: string;
  /** How long there has been no progress, in milliseconds. */
  readonly forMs: number;
}

/**
 * A running member of a group, with its events. The member runs until `leave()`, or until an error ends it. After an
 * error, `closed` rejects with that error.
 */
export interface GroupMember<Value = undefined, State = undefined>
  extends EventEmitter<MemberEventMap>,
    AsyncDisposable {
  /** The name of the member, for people. */
  readonly name: string;
  /** Session id in the group; null while the member has no session. */
  readonly id: string | null;
  /** Counters of messages since the member started. */
  readonly counters: Readonly<MemberCounters>;
  /** The partitions that the member owns, with their progress. */
  readonly partitions: readonly PartitionStatus[];
  /** The partitions that make no progress, and why; `partition` is null for the whole member. */
  readonly standing: readonly Standing[];
  /** URL of the health checks and metrics; undefined if they are not served. */
  readonly healthUrl: string | undefined;
  /**
   * The member's measurements as plain data, for a metrics registry of your own. `natspoc top` shows the same measurements:
   * counters, partitions with lag and rate, handler times, memory.
   */
  readonly stats: MemberStats;
  /** The current memory of this process. */
  readonly memory: MemorySample;
  /** True while the member is in the group and every partition of the group has an owner. */
  readonly isSettled: boolean;
  /**
   * Resolves when every partition of the group has an owner and this member has its share. Rejects if the member ends
   * before that.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when the member has left. Rejects with a NatspocError if an error ended the member, or if it could not
   * join. An unhandled rejection of a running member ends the process, so that a failed member does not look like a
   * finished one.
   */
  readonly closed: Promise<void>;
  /**
   * The messages of a member without a handler, each with its context. A message is handled when the loop asks for the
   * next message. If the loop ends early (`break`, `return`, an exception), the member leaves the group. The current
   * message then counts as not handled, and the next owner receives it. Several loops share the messages. Messages of
   * one partition come one at a time.
   *
   * @throws NatspocError `usage` if the member has a handler; otherwise the error that ended the member.
   */
  messages(): AsyncGenerator<[message: Message<Value>, context: HandlerContext<State>], void, undefined>;
  /** Why the member cannot do its work; empty if it can. `/readyz` returns the same reasons. */
  problems(): string[];
  /**
   * Pauses a partition, or all partitions: this member starts no more handlers for them. Running handlers finish. The
   * partition keeps its owner. If it moves to another member and returns, it is still paused here.
   *
   * @param partition default: all partitions.
   * @param options `forMs`: the pause ends after this time, in milliseconds. Default: the pause lasts until `resume`.
   */
  pause(partition?: number, options?: { forMs?: number | undefined }): void;
  /** Ends the pause of a partition, or all pauses. */
  resume(partition?: number): void;
  /**
   * Moves the positions of partitions of the group, including partitions of other members. The target is the first or
   * last message, a sequence, a time, or a number of messages forward or back. Owners finish running handlers first. So
   * do not await `seek` in a handler: they would wait for each other. Needs the permissions of `natspoc leases seek`.
   *
   * @throws NatspocError if the stream cannot be read. If a partition was not moved, its outcome contains the reason.
   */
  seek(partitions: number | readonly number[], target: SeekTarget): Promise<SeekOutcome[]>;
  /** Hands a partition over to the member whose name or session id is `to`. Without `to`, the member with the fewest partitions gets it. */
  release(partition: number, to?: string | null): void;
  /**
   * Waits up to `drainTimeoutMs` for running handlers, commits, hands all partitions over and leaves. If the server does
   * not answer, it ends 5 s after `drainTimeoutMs` without the last commit. A member that is still joining leaves as soon
   * as it has started. Only the options of the first call apply.
   *
   * @param options `rejoinWithinMs`: the partitions are kept this long, in milliseconds, for the next member with the
   *   same `name`, for example during a restart. At most 1 h. Default: 0, the partitions are handed over.
   * @throws NatspocError `usage` for an invalid `rejoinWithinMs`; otherwise the error that ended the member.
   */
  leave(options?: { rejoinWithinMs?: number | undefined }): Promise<void>;
}
