import { systemClock } from '../lib/clock.js';
import type { Bucket } from '../ports/index.js';
import { type ControlClient, encodeControl } from '../protocol/member-orders.js';
import { type FenceOutcome, fenceMember } from './fence.js';
import type { GroupFollower } from './follower.js';
import { endReservation, freeLease, refusalToFree } from './free-lease.js';
import type { SeenSession } from './group-entries.js';
import { describeGone } from './members.js';

/** The partitions to release, and the way to release them. */
export interface ReleaseOrder {
  partitions: readonly number[];
  /** Session id of the next owner; null: the member with the fewest partitions. */
  to: string | null;
  /** True to fence an owner that does not answer. */
  force: boolean;
  /** How long an owner has to answer, in milliseconds. */
  answerMs: number;
  /** Limit of the handover, including the drain, in milliseconds. */
  waitMs: number;
}

/** The ports that a release uses. */
export interface ReleasePorts {
  follower: GroupFollower;
  control: ControlClient;
  bucket: Bucket;
  group: string;
  /** For a lease that cannot be read: session id of the last owner in the bucket's history; null if there is none. */
  lastOwner(partition: number): Promise<string | null>;
  signal?: AbortSignal;
}

/** The outcome for one partition. `unchanged`: it already had the requested owner. `failed`: see `message`. */
export interface ReleaseOutcome {
  partition: number;
  outcome: 'moved' | 'unchanged' | 'failed';
  from: string | null;
  to: string | null;
  epoch: number;
  /** Time from the request until the lease named the next owner, in milliseconds. */
  tookMs: number;
  /** True if the owner was fenced, so that its uncommitted messages are handled again. */
  forced: boolean;
  message: string | null;
  /** True if requests to the owner are not permitted. */
  denied: boolean;
}

/**
 * Makes owners drain, commit and hand over partitions, so that nothing is handled twice. With `force`, an owner that does not answer is
 * fenced, and other members claim all its partitions.
 */
export async function releasePartitions(ports: ReleasePorts, order: ReleaseOrder): Promise<ReleaseOutcome[]> {
  const byOwner = new Map<string | null, number[]>();
  for (const partition of order.partitions) {
    const owner = ports.follower.ownerOf(partition);
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), partition]);
  }
  const outcomes = await Promise.all(
    [...byOwner].map(([owner, partitions]) => releaseFrom(ports, order, owner, partitions)),
  );
  return outcomes.flat().sort((a, b) => a.partition - b.partition);
}

async function releaseFrom(
  ports: ReleasePorts,
  order: ReleaseOrder,
  owner: string | null,
  partitions: number[],
): Promise<ReleaseOutcome[]> {
  const { follower, control } = ports;
  const moves = partitions.map((partition) => new Move(ports, order, partition));
  if (owner === null) return Promise.all(moves.map((move) => releaseUnowned(ports, order, move)));
  if (owner === order.to) return moves.map((move) => move.unchanged());
  const pinned = moves.filter(({ partition }) => follower.pinnedTo(partition)?.id === owner);
  if (pinned.length > 0) {
    const rest = partitions.filter((partition) => !pinned.some((move) => move.partition === partition));
    const refused = pinned.map((move) => move.failed('it is pinned to its owner; run "leases unpin" first'));
    return rest.length > 0 ? [...refused, ...(await releaseFrom(ports, order, owner, rest))] : refused;
  }
  const session = follower.sessions.get(owner);
  const request = encodeControl({ partitions, to: order.to });
  const answer = await control.ask(owner, 'release', request, order.answerMs);
  if (answer.kind === 'taken') {
    return Promise.all(
      moves.map((move) =>
        answer.partitions.includes(move.partition) || move.hasMoved
          ? move.settles(false)
          : move.failed('its owner has just lost the partition; try again'),
      ),
    );
  }
  if (answer.kind === 'denied') return moves.map((move) => move.denied(answer.message));
  const who = describeOwner(session, owner);
  const why =
    answer.kind === 'refused'
      ? `${who} refused: ${answer.message}`
      : answer.kind === 'gone'
        ? describeGone(who)
        : `${who} does not answer`;
  // The owner's session has ended, so a member will claim the partition anyway.
  if (answer.kind === 'gone' && !session && !order.force)
    return moves.map((move) => move.failed('it has no owner'));
  if (!order.force) return moves.map((move) => move.failed(`${why}; "leases release --force" fences it`));
  const fenced = await fenceMember({ bucket: ports.bucket, clock: systemClock }, ports.group, owner);
  if (fenced.kind !== 'fenced') {
    // The fence has found out more about a member that seems to be gone.
    const known = answer.kind === 'gone' ? `${who} accepts no such request` : why;
    return moves.map((move) => move.failed(describeFence(fenced, known)));
  }
  return Promise.all(moves.map((move) => move.isClaimed(true)));
}

/**
 * Releases a partition without a known owner. Ends its reservation for a restart. No member claims a partition whose lease cannot be read,
 * so `force` overwrites such a lease. First the last owner is fenced. Otherwise an owner without a connection would not see the new lease,
 * and would continue.
 */
async function releaseUnowned(
  { follower, bucket, group, lastOwner }: ReleasePorts,
  { force }: ReleaseOrder,
  move: Move,
): Promise<ReleaseOutcome> {
  const { partition } = move;
  if (follower.isReserved(partition)) {
    const failed = await endReservation(bucket, group, partition);
    if (failed !== undefined) return move.failed(failed);
    return follower.planned().length === 0 ? move.freed() : move.isClaimed(false);
  }
  if (!follower.isUnreadable(partition)) return move.failed('it has no owner');
  if (!force) return move.failed('its lease cannot be read; "leases release --force" fences its last owner');
  const refused = await refusalToFree(bucket, group, partition);
  if (refused !== undefined) return move.failed(refused);
  const owner = await lastOwner(partition);
  if (owner !== null) {
    const fenced = await fenceMember({ bucket, clock: systemClock }, group, owner);
    const who = describeOwner(follower.sessions.get(owner), owner);
    if (fenced.kind !== 'fenced') return move.failed(describeFence(fenced, `${who} was the last owner`));
  }
  const freed = await freeLease(bucket, group, partition);
  if (freed !== undefined) return move.failed(freed);
  // Without members the partition stays unowned.
  return follower.planned().length === 0 ? move.freed() : move.settles(false);
}

const describeOwner = ({ record }: Partial<SeenSession> = {}, id: string): string =>
  record ? `${record.name} (${record.host}:${record.pid})` : `session ${id}`;

const describeFence = (fenced: Exclude<FenceOutcome, { kind: 'fenced' }>, why: string): string =>
  fenced.kind === 'alive' ? `${why}, but it renews, so it was not fenced` : `${why}, and ${fenced.message}`;

/** The move of one partition. */
class Move {
  readonly partition: number;
  readonly #ports: ReleasePorts;
  readonly #order: ReleaseOrder;
  readonly #epoch: number;
  readonly #from: string | null;
  readonly #startedAt = performance.now();

  constructor(ports: ReleasePorts, order: ReleaseOrder, partition: number) {
    this.#ports = ports;
    this.#order = order;
    this.partition = partition;
    this.#epoch = ports.follower.epochOf(partition);
    this.#from = ports.follower.ownerNameOf(partition);
  }

  /** True if the partition has another owner, or the same owner under a new epoch. */
  get hasMoved(): boolean {
    const { follower } = this.#ports;
    return follower.epochOf(this.partition) > this.#epoch && follower.ownerOf(this.partition) !== null;
  }

  async settles(forced: boolean, byAny = false): Promise<ReleaseOutcome> {
    const { follower, signal } = this.#ports;
    const { waitMs, to } = this.#order;
    // The group may have no other member than the fenced one.
    const isFreed = (): boolean => forced && follower.planned().length === 0;
    if (!(await follower.until(() => this.hasMoved || isFreed(), waitMs, signal))) {
      const fenced = forced ? ', although its owner was fenced' : '';
      return this.failed(`it has not moved after ${waitMs} ms${fenced}`, forced);
    }
    if (!this.hasMoved) return this.freed(forced);
    const owner = follower.ownerOf(this.partition);
    if (to !== null && owner !== to && !byAny) {
      return this.failed(`it went to ${follower.ownerNameOf(this.partition) ?? 'no member'} instead`, forced);
    }
    return this.#result('moved', null, forced);
  }

  /** Waits until a member claims the free partition. If it is not the requested owner, it is told to hand over the partition. */
  async isClaimed(forced: boolean): Promise<ReleaseOutcome> {
    const claimed = await this.settles(forced, true);
    const { follower } = this.#ports;
    const { to } = this.#order;
    const hasOwner = claimed.outcome === 'moved' && claimed.to !== null;
    if (!hasOwner || to === null || follower.ownerOf(this.partition) === to) return claimed;
    const [passed] = await releasePartitions(this.#ports, {
      ...this.#order,
      partitions: [this.partition],
      force: false,
    });
    return passed?.outcome === 'failed' ? { ...passed, forced } : this.#result('moved', null, forced);
  }

  /** The outcome for a partition that was freed while the group has no member. */
  freed(forced = false): ReleaseOutcome {
    return { ...this.#result('moved', null, forced), to: null };
  }

  unchanged(): ReleaseOutcome {
    return this.#result('unchanged', null, false);
  }

  failed(message: string, forced = false): ReleaseOutcome {
    return this.#result('failed', message, forced);
  }

  denied(message: string): ReleaseOutcome {
    return { ...this.failed(message), denied: true };
  }

  #result(outcome: ReleaseOutcome['outcome'], message: string | null, forced: boolean): ReleaseOutcome {
    const { partition } = this;
    const { follower } = this.#ports;
    return {
      partition,
      outcome,
      from: this.#from,
      to: follower.ownerNameOf(partition),
      epoch: follower.epochOf(partition),
      tookMs: Math.round(performance.now() - this.#startedAt),
      forced,
      message,
      denied: false,
    };
  }
}
