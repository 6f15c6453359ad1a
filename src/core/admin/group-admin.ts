import type { Config } from '../config/config.js';
import type { GroupObserver } from '../ports/observer.js';
import type { ControlAnswer } from '../protocol/member-orders.js';
import {
  AMOUNT,
  type ArgumentCheck,
  checkArgument,
  checkOptions,
  checkPartition,
  checkPartitions,
  MEMBER_OR_NULL,
  SEQUENCE,
  SIGNAL,
  YES_OR_NO,
} from './arguments.js';
import { checkGroup } from './check.js';
import { type Ending, type EndOrder, endMember } from './end-member.js';
import type { Finding } from './finding.js';
import { followJoining, type Joining } from './follow-joining.js';
import { GroupFollower, shelteredListener } from './follower.js';
import type { CheckOptions, GroupPorts, PauseOutcome, ReleaseOptions } from './group-admin-contract.js';
import { type GroupChange, readable } from './group-entries.js';
import { findGroupLayout } from './group-layout.js';
import type { GroupStatus } from './group-status.js';
import { type HeldUpOutcome, refuseSkip, retryPartitions, type SkipOrder, skipMessage } from './held-up.js';
import { lastOwner, readTenures, type Tenure } from './history.js';
import { operatorName } from './operator.js';
import { type Patience, patienceOf } from './patience.js';
import { pausePartitions } from './pausing.js';
import { pinPartitions, untilPinned } from './pinning.js';
import { readGroupStatus } from './read-group-status.js';
import { type ReleaseOutcome, releasePartitions } from './release.js';
import {
  abortResize,
  planResize,
  type ResizeOutcome,
  type ResizePlan,
  type ResizePorts,
  resizeGroup,
} from './resize.js';
import { type SeekOutcome, seekPositions } from './seek.js';
import { planSeeks, seekPlanner } from './seek-planner.js';
import { checkedTarget, type SeekStep, type SeekTarget } from './seek-target.js';
import { findStalls } from './stalled.js';
import { withFollower } from './with-follower.js';

const FOLLOWER: ArgumentCheck = [
  (value) => value instanceof GroupFollower,
  'a follower of the group, as group.following() passes it',
];

/**
 * Inspects a group and controls its partitions, for an operator. Each wait is limited (see {@link Patience}). Methods reject with a
 * NatspocError, for example with the code `unreachable` or `not-permitted`.
 */
export class GroupAdmin {
  readonly #config: Config;
  readonly #partitions: number;
  readonly #ports: GroupPorts;
  readonly #patience: Patience;

  /** @param partitions the number of partitions of the stream. */
  constructor(config: Config, partitions: number, ports: GroupPorts) {
    this.#config = config;
    this.#partitions = partitions;
    this.#ports = ports;
    this.#patience = patienceOf(config);
  }

  /** The group's name. */
  get name(): string {
    return this.#ports.group;
  }

  /** The observer, for single queries about the group. */
  get observer(): GroupObserver {
    return this.#ports.observer;
  }

  /** The group's members, partitions, positions and lag at one moment. */
  status(): Promise<GroupStatus> {
    return readGroupStatus(this.#ports.observer, this.#partitions);
  }

  /** The problems that a status shows. */
  async check(status: GroupStatus, limits: CheckOptions = {}): Promise<Finding[]> {
    const limit = { maxLag: AMOUNT, maxAgeMs: AMOUNT, stalledMs: AMOUNT };
    checkOptions('check', limits, { ...limit, allowPaused: YES_OR_NO });
    const stalled = await findStalls(this.#ports.observer, status, limits.stalledMs);
    const { maxLag, maxAgeMs, allowPaused } = limits;
    return checkGroup(status, { maxLag, maxAgeMs, allowPaused, stalled });
  }

  /** The past and present owners of a partition, oldest first. The bucket keeps only the newest. */
  async history(partition: number): Promise<Tenure[]> {
    checkPartition(partition);
    return readTenures(await this.#ports.observer.leaseHistory(partition), partition, Date.now());
  }

  /**
   * Follows members and leases until the follower is stopped. `onChange` receives each change after the first snapshot. Its errors are
   * written to standard error.
   *
   * @see GroupFollower.until
   */
  follow(onChange: (change: GroupChange) => void = () => {}): GroupFollower {
    return new GroupFollower(this.#ports.observer, this.name, shelteredListener(this.name, onChange));
  }

  /** Runs `use` with a follower that has read the group. `signal` ends the wait for the group. */
  following<T>(use: (follower: GroupFollower) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withFollower(this.#ports.observer, this.#config, use, signal);
  }

  /** Makes owners drain, commit and hand over partitions, so that nothing is handled twice. */
  async release(
    follower: GroupFollower,
    partitions: readonly number[],
    options: ReleaseOptions = {},
  ): Promise<ReleaseOutcome[]> {
    checkPartitions(partitions, this.#partitionsOf(follower));
    checkOptions('release', options, { to: MEMBER_OR_NULL, force: YES_OR_NO, signal: SIGNAL });
    const { to = null, force = false, signal } = options;
    const ports = {
      ...this.#ports,
      follower,
      lastOwner: async (partition: number) =>
        lastOwner(await this.observer.leaseHistory(partition), partition),
      ...(signal && { signal }),
    };
    return releasePartitions(ports, { partitions, to, force, ...this.#patience });
  }

  /** Makes owners immediately retry the messages that hold up their partitions. */
  async retry(follower: GroupFollower, partitions: readonly number[]): Promise<HeldUpOutcome[]> {
    checkPartitions(partitions, this.#partitionsOf(follower));
    return retryPartitions({ ...this.#ports, ...this.#patience, follower }, partitions);
  }

  /** Why this message cannot be skipped; undefined if the skip may be possible. Changes nothing. */
  refuseSkip(
    follower: GroupFollower,
    message: Pick<SkipOrder, 'partition' | 'sequence'>,
  ): Promise<HeldUpOutcome | undefined> {
    return refuseSkip({ ...this.#ports, follower }, message);
  }

  /** Makes the owner skip the message that holds up its partition. Waits until the partition has passed the message. */
  async skip(
    follower: GroupFollower,
    message: Pick<SkipOrder, 'partition' | 'sequence' | 'deadLetter'>,
    signal?: AbortSignal,
  ): Promise<HeldUpOutcome> {
    const { partition, sequence, deadLetter } = { ...message };
    checkPartition(partition, this.#partitionsOf(follower));
    checkArgument('sequence', sequence, SEQUENCE);
    checkArgument('deadLetter', deadLetter, YES_OR_NO);
    const ports = { ...this.#ports, ...this.#patience, follower, signal };
    const order = { partition, sequence, deadLetter };
    return skipMessage(ports, { ...order, by: operatorName(), waitMs: this.#patience.restMs });
  }

  /** Pauses partitions, and waits until their handlers have stopped. `paused` false: resumes them. */
  async pause(
    follower: GroupFollower,
    partitions: readonly number[],
    paused: boolean,
    signal?: AbortSignal,
  ): Promise<PauseOutcome> {
    checkPartitions(partitions, this.#partitionsOf(follower));
    checkArgument('paused', paused, YES_OR_NO);
    const ports = { ...this.#ports, follower, ...(signal && { signal }) };
    return pausePartitions(ports, partitions, { paused, by: operatorName(), waitMs: this.#patience.restMs });
  }

  /**
   * Pins partitions to the member with this name or session id, which need not exist yet. null unpins them.
   *
   * @returns the previous pin of each partition; null if there is none.
   */
  async pin(partitions: readonly number[], to: string | null): Promise<Map<number, string | null>> {
    const layout = await findGroupLayout(this.#ports.bucket, this.name);
    checkPartitions(partitions, layout?.layout.partitions ?? this.#partitions);
    checkArgument('to', to, MEMBER_OR_NULL);
    return pinPartitions({ ...this.#ports, by: operatorName() }, partitions, to);
  }

  /**
   * Waits until the member with this name or session id owns these pinned partitions.
   *
   * @returns `present`: the group has this member. `there`: this member owns all of the partitions.
   */
  untilPinned(
    follower: GroupFollower,
    partitions: readonly number[],
    to: string,
    signal?: AbortSignal,
  ): Promise<{ present: boolean; there: boolean }> {
    return untilPinned(follower, partitions, to, this.#patience.waitMs, signal);
  }

  /** The new positions, and the messages that would be skipped or repeated. Changes nothing. */
  planSeek(partitions: readonly number[], target: SeekTarget, signal?: AbortSignal): Promise<SeekStep[]> {
    return planSeeks(this.#ports, partitions, target, this.#partitions, signal);
  }

  /** Moves positions. The owners drain and commit first, and then continue from the new positions. */
  async seek(
    partitions: readonly number[],
    target: SeekTarget,
    signal?: AbortSignal,
  ): Promise<SeekOutcome[]> {
    const to = checkedTarget(target);
    return this.following(async (follower) => {
      const count = this.#partitionsOf(follower);
      checkPartitions(partitions, count);
      const planner = await seekPlanner(this.#ports, count, to, signal);
      const order = { by: operatorName(), waitMs: this.#patience.restMs, ...(signal && { signal }) };
      return seekPositions({ ...this.#ports, ...planner, ...order, follower }, partitions);
    }, signal);
  }

  /** Plans a resize, and changes nothing. Throws if a resize is not possible now. */
  async planResize(follower: GroupFollower, partitions: number): Promise<ResizePlan> {
    return planResize(this.#resizePorts(follower), partitions);
  }

  /** Requests a different number of partitions, and waits until the members have made the change. */
  async resize(follower: GroupFollower, partitions: number, signal?: AbortSignal): Promise<ResizeOutcome> {
    return resizeGroup(this.#resizePorts(follower), partitions, this.#patience.waitMs, signal);
  }

  /** Withdraws an unfinished resize. Returns the requested number of partitions; null if there was no resize. */
  async abortResize(follower: GroupFollower): Promise<number | null> {
    return abortResize(this.#resizePorts(follower));
  }

  #resizePorts(follower: GroupFollower): ResizePorts {
    checkArgument('follower', follower, FOLLOWER);
    const { own } = this.#ports;
    const layout = own && { ...own, partitions: this.#partitions };
    return { ...this.#ports, follower, by: operatorName(), own: layout };
  }

  /** Asks a member to leave and end. */
  askToStop(session: string): Promise<ControlAnswer> {
    return this.#ports.control.ask(session, 'stop', undefined, this.#patience.answerMs);
  }

  /** Tells a member to end, and follows its partitions. Returns the reason if the request could not be sent. */
  endMember(session: string, order: EndOrder, signal?: AbortSignal): Promise<Ending | string> {
    const { waitMs } = this.#patience;
    return this.following((follower) => endMember(follower, session, order, waitMs, signal), signal);
  }

  /**
   * Waits until a process is a member with its share of partitions. Resolves with undefined if it does not join.
   *
   * @param startMs limit for the start of the process, in milliseconds.
   */
  joining(
    process: { host: string; pid: number },
    startMs: number,
    signal: AbortSignal,
  ): Promise<Joining | undefined> {
    const waitMs = startMs + this.#patience.waitMs;
    return this.following((follower) => {
      const wanted = { ...process, partitions: this.#partitionsOf(follower) };
      return followJoining(follower, wanted, waitMs, signal);
    }, signal);
  }

  /** The group's number of partitions. A keyed group has its own. */
  #partitionsOf(follower: GroupFollower): number {
    checkArgument('follower', follower, FOLLOWER);
    return readable(follower.layout)?.partitions ?? this.#partitions;
  }
}
