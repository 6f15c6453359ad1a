import type { Config } from '../config/config.js';
import type { StreamPlace } from '../config/start-from.js';
import { mapConcurrently } from '../lib/concurrently.js';
import { messageOf, NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { promiseOf } from '../lib/promise-of.js';
import { standardError } from '../member/note-logger.js';
import type { GroupObserver } from '../ports/observer.js';
import type { ControlAnswer } from '../protocol/member-orders.js';
import type { PositionMark } from '../protocol/position-mark.js';
import { checkGroup, type Finding } from './check.js';
import { type Ending, type EndOrder, endMember } from './end-member.js';
import { followJoining, type Joining } from './follow-joining.js';
import { GroupFollower } from './follower.js';
import type { CheckOptions, GroupPorts, PauseOutcome, ReleaseOptions } from './group-admin-contract.js';
import { type GroupChange, readable } from './group-entries.js';
import { findGroupLayout, positionsNow } from './group-layout.js';
import type { GroupStatus } from './group-status.js';
import {
  type HeldUpOutcome,
  type HeldUpPorts,
  retryPartitions,
  type SkipOrder,
  skipMessage,
} from './held-up.js';
import { lastOwner, readTenures, type Tenure } from './history.js';
import { operatorName } from './operator.js';
import { changeOverride } from './overrides.js';
import { patienceOf } from './patience.js';
import { untilNotHandled } from './pausing.js';
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
import { checkedTarget, planSeek, type SeekStep, type SeekTarget } from './seek-target.js';
import { findStalls } from './stalled.js';
import { withFollower } from './with-follower.js';

const CONCURRENT_PLANS = 8;

/**
 * Inspects a group and controls its partitions, for an operator. Requests to members are bounded by their
 * drain timeout, and outcomes are read from the leases. Methods reject with a NatspocError:
 * `unreachable`, `not-permitted`, …
 */
export class GroupAdmin {
  readonly #config: Config;
  readonly #partitions: number;
  readonly #ports: GroupPorts;

  /** @param config with the group's name. `partitions`: the number of partitions of the stream. */
  constructor(config: Config, partitions: number, ports: GroupPorts) {
    this.#config = config;
    this.#partitions = partitions;
    this.#ports = ports;
  }

  /** The group's name. */
  get name(): string {
    return this.#config.group;
  }

  /** Single queries about the group. */
  get observer(): GroupObserver {
    return this.#ports.observer;
  }

  /** Its members, partitions, positions and lag at one moment. */
  status(): Promise<GroupStatus> {
    return readGroupStatus(this.#ports.observer, this.#partitions);
  }

  /** The problems of a status. */
  async check(status: GroupStatus, limits: CheckOptions = {}): Promise<Finding[]> {
    const stalled = await findStalls(this.#ports.observer, status, limits.stalledMs);
    const { maxLag, maxAgeMs, allowPaused } = limits;
    return checkGroup(status, { maxLag, maxAgeMs, allowPaused, stalled });
  }

  /** The owners of a partition that the bucket still stores, oldest first. */
  async history(partition: number): Promise<Tenure[]> {
    return readTenures(await this.#ports.observer.leaseHistory(partition), partition, Date.now());
  }

  /**
   * Follows members and leases until the follower is stopped; `onChange` receives each change after the first snapshot. If
   * `onChange` throws, that is a bug of the program: the error is written to standard error.
   *
   * @see GroupFollower.until
   */
  follow(onChange: (change: GroupChange) => void = () => {}): GroupFollower {
    const failed = (error: unknown): void =>
      standardError.error({}, `a listener of group ${this.name} failed: ${messageOf(error)}`);
    return new GroupFollower(this.#ports.observer, this.name, (change) => {
      try {
        // A listener may be async, whatever its type says.
        const told: unknown = onChange(change);
        promiseOf(told)?.catch(failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /** Runs `use` with a follower that knows the group; `signal` ends the wait for the first snapshot. */
  following<T>(use: (follower: GroupFollower) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withFollower(this.#ports.observer, this.#config, use, signal);
  }

  /**
   * Makes owners give partitions away: they drain, commit and hand over, so that nothing is handled twice.
   */
  release(
    follower: GroupFollower,
    partitions: readonly number[],
    { to = null, force = false, signal }: ReleaseOptions = {},
  ): Promise<ReleaseOutcome[]> {
    const { control, bucket, observer } = this.#ports;
    return releasePartitions(
      {
        follower,
        control,
        bucket,
        group: this.name,
        lastOwner: async (partition) => lastOwner(await observer.leaseHistory(partition), partition),
        ...(signal && { signal }),
      },
      { partitions, to, force, ...patienceOf(this.#config) },
    );
  }

  /** Makes owners retry at once the messages that hold their partitions up. */
  retry(follower: GroupFollower, partitions: readonly number[]): Promise<HeldUpOutcome[]> {
    return retryPartitions(this.#heldUpPorts(follower), partitions);
  }

  /**
   * Makes the owner skip the message that holds its partition up, and waits until the partition has passed the
   * message.
   */
  skip(
    follower: GroupFollower,
    message: Pick<SkipOrder, 'partition' | 'sequence' | 'deadLetter'>,
    signal?: AbortSignal,
  ): Promise<HeldUpOutcome> {
    const { restMs: waitMs } = patienceOf(this.#config);
    const ports = { ...this.#heldUpPorts(follower), signal };
    return skipMessage(ports, { ...message, by: operatorName(), waitMs });
  }

  #heldUpPorts(follower: GroupFollower): HeldUpPorts {
    const { observer, control } = this.#ports;
    return { observer, follower, control, answerMs: patienceOf(this.#config).answerMs };
  }

  /** Pauses partitions, and waits until their handlers have stopped. With `paused` false, resumes them. */
  async pause(
    follower: GroupFollower,
    partitions: readonly number[],
    paused: boolean,
    signal?: AbortSignal,
  ): Promise<PauseOutcome> {
    const { bucket, observer } = this.#ports;
    const changed: number[] = [];
    for (const partition of partitions) {
      const before = await changeOverride(bucket, this.name, partition, { paused }, operatorName());
      if (before.paused !== paused) changed.push(partition);
    }
    if (!paused) return { changed, unfinished: new Map() };
    const { restMs } = patienceOf(this.#config);
    const ports = { observer, follower, ...(signal && { signal }) };
    return { changed, unfinished: await untilNotHandled(ports, partitions, restMs) };
  }

  /**
   * Pins partitions to the member of this name or session id, which need not exist yet; null: unpins them.
   *
   * @returns the previous pin of each partition; null if there is none.
   */
  async pin(partitions: readonly number[], to: string | null): Promise<Map<number, string | null>> {
    const before = new Map<number, string | null>();
    for (const partition of partitions) {
      const { bucket } = this.#ports;
      const { pin } = await changeOverride(bucket, this.name, partition, { pin: to }, operatorName());
      before.set(partition, pin);
    }
    return before;
  }

  /**
   * Waits until a pinned member owns its partitions.
   *
   * @returns `present`: the group has this member; `there`: it owns all of the partitions.
   */
  async untilPinned(
    follower: GroupFollower,
    partitions: readonly number[],
    to: string,
    signal?: AbortSignal,
  ): Promise<{ present: boolean; there: boolean }> {
    // If several members have the name, the first by id gets the partitions, as in the plan.
    const member = follower.named(to)[0];
    if (!member) return { present: false, there: false };
    const isThere = (): boolean => partitions.every((each) => follower.ownerOf(each) === member.id);
    const { waitMs } = patienceOf(this.#config);
    return { present: true, there: await follower.until(isThere, waitMs, signal) };
  }

  /** The new positions, and the messages that would be skipped or repeated. Changes nothing. */
  async planSeek(partitions: readonly number[], target: SeekTarget): Promise<SeekStep[]> {
    const found = await findGroupLayout(this.#ports.bucket, this.name);
    const facts = positionsNow(await this.#ports.observer.positions(), found?.layout, Date.now());
    const positions = new Map<number, PositionMark | 'unreadable'>(
      facts.map((each) => [each.partition, each.unreadable ? 'unreadable' : each]),
    );
    const { plan } = await this.#planner(checkedTarget(target));
    this.#checkPartitions(partitions, found?.layout);
    return mapConcurrently(partitions, CONCURRENT_PLANS, (partition) =>
      plan(partition, positions.get(partition) ?? null),
    );
  }

  /** Moves positions: owners drain and commit, the positions are written, owners continue from there. */
  async seek(
    partitions: readonly number[],
    target: SeekTarget,
    signal?: AbortSignal,
  ): Promise<SeekOutcome[]> {
    const { bucket, observer } = this.#ports;
    const planner = await this.#planner(checkedTarget(target));
    return this.following((follower) => {
      this.#checkPartitions(partitions, readable(follower.layout));
      return seekPositions(
        {
          observer,
          follower,
          bucket,
          group: this.name,
          by: operatorName(),
          ...planner,
          waitMs: patienceOf(this.#config).restMs,
          ...(signal && { signal }),
        },
        partitions,
      );
    }, signal);
  }

  /** @throws NatspocError `usage` for a partition that the group does not have. */
  #checkPartitions(partitions: readonly unknown[], layout: { partitions: number } | null | undefined): void {
    const count = layout?.partitions ?? this.#partitions;
    const missing = partitions.find(
      (each) => !(Number.isInteger(each) && Number(each) >= 0 && Number(each) < count),
    );
    if (missing === undefined) return;
    throw new NatspocError('usage', `There is no partition ${inWords(missing)}: they are 0 to ${count - 1}.`);
  }

  /** What a resize would do; throws if it is not possible now. Changes nothing. */
  planResize(follower: GroupFollower, partitions: number): Promise<ResizePlan> {
    return planResize(this.#resizePorts(follower), partitions);
  }

  /** Requests a different number of partitions for a group, and waits until the members have changed it. */
  resize(follower: GroupFollower, partitions: number, signal?: AbortSignal): Promise<ResizeOutcome> {
    return resizeGroup(this.#resizePorts(follower), partitions, patienceOf(this.#config).waitMs, signal);
  }

  /** Withdraws a resize that is not done yet. Returns the requested number; null if there was no resize. */
  abortResize(follower: GroupFollower): Promise<number | null> {
    return abortResize(this.#resizePorts(follower));
  }

  #resizePorts(follower: GroupFollower): ResizePorts {
    const { bucket, observer, own } = this.#ports;
    const layout = own && { ...own, partitions: this.#partitions };
    return { bucket, observer, follower, group: this.name, by: operatorName(), own: layout };
  }

  /** Asks a member to leave and end. */
  askToStop(session: string): Promise<ControlAnswer> {
    return this.#ports.control.ask(session, 'stop', undefined, patienceOf(this.#config).answerMs);
  }

  /**
   * Tells a member to end, and follows its partitions. `order` sends the request. Returns the reason if it could not be
   * sent.
   */
  endMember(session: string, order: EndOrder, signal?: AbortSignal): Promise<Ending | string> {
    const { waitMs } = patienceOf(this.#config);
    return this.following((follower) => endMember(follower, session, order, waitMs, signal), signal);
  }

  /**
   * Waits until a process is a member and has its share of partitions; undefined if it does not join.
   *
   * @param startMs how long the start of the process may take, in milliseconds.
   */
  joining(
    process: { host: string; pid: number },
    startMs: number,
    signal: AbortSignal,
  ): Promise<Joining | undefined> {
    const { waitMs } = patienceOf(this.#config);
    return this.following(
      (follower) =>
        followJoining(
          follower,
          { ...process, partitions: readable(follower.layout)?.partitions ?? this.#partitions },
          startMs + waitMs,
          signal,
        ),
      signal,
    );
  }

  /** The target of a position, computed from the current stream. */
  async #planner(target: SeekTarget | StreamPlace) {
    const { observer, sequenceAt } = this.#ports;
    const stream = await observer.stream();
    const source = { observer, stream, sequenceAt };
    return {
      plan: (partition: number, position: PositionMark | null | 'unreadable') =>
        planSeek(source, partition, position, target),
      mark: async (sequence: number): Promise<PositionMark> => {
        const stored = sequence > 0 ? await observer.storedTime(sequence) : undefined;
        return { sequence, created: stream.createdAtMs, stored };
      },
    };
  }
}
