import type { Finding } from '../admin/finding.js';
import type { CheckOptions, PauseOutcome, ReleaseOptions } from '../admin/group-admin-contract.js';
import type { GroupChange } from '../admin/group-entries.js';
import type { GroupStatus } from '../admin/group-status.js';
import type { HeldUpOutcome, SkipOrder } from '../admin/held-up.js';
import type { Tenure } from '../admin/history.js';
import type { RedriveSummary } from '../admin/redrive.js';
import type { ReleaseOutcome } from '../admin/release.js';
import type { ResizeOutcome, ResizePlan } from '../admin/resize.js';
import type { SeekOutcome } from '../admin/seek.js';
import type { SeekStep, SeekTarget } from '../admin/seek-target.js';
import type { StreamStatus } from '../admin/stream-status.js';
import type { TrimStep } from '../admin/trim.js';
import type { Concern } from '../nats/client/concern.js';
import type { StoredMessage } from '../ports/stream-admin.js';
import type { FoundLetter } from '../protocol/dead-letter.js';
import type { Layout } from '../protocol/layout.js';

/** Which messages to read. */
export interface TailOptions {
  /** The sequence to start at. Default: the first message. */
  startSequence?: number | undefined;
  /** True: continue with new messages until `signal` aborts. False: stop after the last stored message. */
  follow: boolean;
  signal?: AbortSignal | undefined;
}

/** Which dead letters to publish again. */
export interface RedriveOptions {
  /** Only dead letters of this group. Default: the dead letters of all groups. */
  group?: string | undefined;
  /** Maximum number of dead letters to publish. Default: no limit. */
  count?: number | undefined;
  /** Called for each republished dead letter, with its new sequence in the stream. */
  onRedriven?: ((letter: FoundLetter, sequence: number) => void) | undefined;
  /** Called for each dead letter that cannot be published again, with the reason. */
  onKept?: ((letter: FoundLetter, reason: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Gives access to an existing stream: its messages, groups and dead letters. Creates nothing on the server. Methods reject
 * with a NatspocError, for example with the code `unreachable` or `not-permitted`. `await using` closes the stream.
 */
export interface StreamAdmin extends AsyncDisposable {
  /**
   * The layout of all members and publishers. If only groups with a key read the stream, it is the layout of the group
   * in the options.
   *
   * @throws NatspocError `group-missing` if only groups with a key read the stream, and the options name none of them.
   *   These methods need the layout and throw the same error: `status`, `message`, `tail`, `planTrim`, `trim`, `purge`,
   *   `deleteAll` and `redrive`.
   */
  readonly layout: Layout;
  /** Settings of the stream or its bucket that can lose messages. */
  readonly concerns: readonly Concern[];
  /** The version of the connected server. */
  readonly serverVersion: string;
  /**
   * A group of the stream. Default: the group in the options of `openStream`.
   *
   * @throws NatspocError `group-missing` if only groups with a key read the stream, and this group did not exist when
   *   `openStream` was called.
   */
  group(name?: string): GroupAdmin;
  /** The names of all groups, sorted. */
  groups(): Promise<string[]>;
  /** The stream, its partitions and its groups at one moment. */
  status(): Promise<StreamStatus>;
  /** The message with this sequence; undefined if it does not exist (any more). */
  message(sequence: number): Promise<StoredMessage | undefined>;
  /** The messages of a partition in order, or of all partitions if `partition` is undefined. */
  tail(partition: number | undefined, options: TailOptions): AsyncGenerator<StoredMessage, void, undefined>;
  /** Plans a trim of the messages that all of these groups have handled. Changes nothing. */
  planTrim(groups: readonly string[]): Promise<TrimStep[]>;
  /**
   * Carries out a plan. Records that the deleted messages were handled, so that later owners do not count them as lost.
   *
   * @returns the number of messages that were deleted.
   */
  trim(steps: readonly TrimStep[], groups: readonly string[]): Promise<number>;
  /**
   * Deletes the messages of a partition (null: of all partitions) up to and including a sequence (null: to the end).
   * First records which messages were handled, so that later owners count only the others as lost. Even if that fails,
   * the messages are deleted. Later owners may then count handled messages as lost, too.
   *
   * @returns the number of deleted messages.
   */
  purge(partition: number | null, upTo: number | null): Promise<number>;
  /**
   * Deletes the entries of ended sessions and of earlier layouts' partitions, for all groups. Returns the number of
   * deleted sessions.
   */
  sweep(): Promise<number>;
  /** Deletes the stream, and the bucket with the layout and all groups' leases and positions. */
  deleteAll(): Promise<void>;
  /** All current dead letters, oldest first. `foreign` is called for messages that are not dead letters. */
  deadLetters(foreign?: (sequence: number) => void): AsyncIterable<FoundLetter>;
  /** Publishes dead letters to their partitions again. */
  redrive(options: RedriveOptions): Promise<RedriveSummary>;
  /** Closes the connection if `openStream` opened it. */
  close(): Promise<void>;
}

/**
 * Inspects a group and controls its partitions, for an operator. `timeoutMs`, `ttlMs` and `drainTimeoutMs` limit the
 * waits for members. The leases show whether a member has carried out a request. Methods reject with a NatspocError, for
 * example with the code `unreachable` or `not-permitted`.
 */
export interface GroupAdmin {
  /** The group's name. */
  readonly name: string;
  /** The group's members, partitions, positions and lag at one moment. */
  status(): Promise<GroupStatus>;
  /** The problems in a status; empty if the group is healthy. */
  check(status: GroupStatus, limits?: CheckOptions): Promise<Finding[]>;
  /** The past and current owners of a partition, oldest first, as far as the bucket still stores them. */
  history(partition: number): Promise<Tenure[]>;
  /**
   * Follows members and leases until the follower is stopped.
   *
   * @param onChange receives each change after the first snapshot. `eventsOf` turns a change into events.
   */
  follow(onChange?: (change: GroupChange) => void): GroupFollower;
  /** Runs `use` with a follower that has read the group. Stops the follower afterwards. */
  following<T>(use: (follower: GroupFollower) => Promise<T>): Promise<T>;
  /** Makes owners hand partitions over. The owners drain and commit first, so that nothing is handled twice. */
  release(
    follower: GroupFollower,
    partitions: readonly number[],
    options?: ReleaseOptions,
  ): Promise<ReleaseOutcome[]>;
  /** Makes owners retry at once the messages that hold up their partitions, even if a partition is halted. */
  retry(follower: GroupFollower, partitions: readonly number[]): Promise<HeldUpOutcome[]>;
  /** Makes the owner skip the message that holds up its partition. Waits until the partition has passed the message. */
  skip(
    follower: GroupFollower,
    message: Pick<SkipOrder, 'partition' | 'sequence' | 'deadLetter'>,
    signal?: AbortSignal,
  ): Promise<HeldUpOutcome>;
  /** Pauses partitions, and waits until their handlers have stopped. If `paused` is false, resumes the partitions. */
  pause(
    follower: GroupFollower,
    partitions: readonly number[],
    paused: boolean,
    signal?: AbortSignal,
  ): Promise<PauseOutcome>;
  /**
   * Pins partitions to the member with this name or session id, which need not exist yet. null: unpins them.
   *
   * @returns the previous pin of each partition; null if there is none.
   */
  pin(partitions: readonly number[], to: string | null): Promise<Map<number, string | null>>;
  /** Plans a seek: the new positions, and how many messages would be skipped or repeated. Changes nothing. */
  planSeek(partitions: readonly number[], target: SeekTarget, signal?: AbortSignal): Promise<SeekStep[]>;
  /** Moves positions. The owners drain and commit. Then the positions are written, and the owners continue from there. */
  seek(partitions: readonly number[], target: SeekTarget, signal?: AbortSignal): Promise<SeekOutcome[]>;
  /** Plans a resize, and changes nothing. Throws if a resize is not possible now. */
  planResize(follower: GroupFollower, partitions: number): Promise<ResizePlan>;
  /** Requests a different number of partitions, and waits until the members have made the change. */
  resize(follower: GroupFollower, partitions: number, signal?: AbortSignal): Promise<ResizeOutcome>;
  /** Withdraws a resize that is not done yet. Returns the requested number of partitions; null if there was no resize. */
  abortResize(follower: GroupFollower): Promise<number | null>;
}

/** The owner of each partition of a group, as of the newest entry in the bucket. Follows the bucket until `stop`. */
export interface GroupFollower {
  /** The session id of a partition's owner in the lease, dead or alive; null if the lease has no owner. */
  ownerOf(partition: number): string | null;
  /** The name of a partition's owner; null if there is no owner. */
  ownerNameOf(partition: number): string | null;
  /** The epoch of a partition's owner; 0 if the partition never had an owner. */
  epochOf(partition: number): number;
  /** The partitions whose leases name this session, in order. */
  ownedBy(session: string): number[];
  /**
   * Resolves with true when the condition holds. Resolves with false after `withinMs`, or when `signal` aborts. The
   * condition is checked after each change.
   *
   * @throws NatspocError if the group cannot be watched any more.
   */
  until(condition: () => boolean, withinMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Stops following. */
  stop(): void;
}
