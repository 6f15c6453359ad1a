import type { World } from '../world.js';

/** The permitted effects of one isolated change. */
export interface Expectation {
  what: string;
  /** True if running messages may be handled again, because a member died. */
  mayRepeat: boolean;
  /** True if readers may be reopened, because connections were cut. */
  mayReopen: boolean;
  /**
   * If true, only repetitions are judged, not the moves of partitions. Use this if the number of partitions changes, or if the moves depend
   * on which member was seen to leave first.
   */
  movesFreely?: true;
  /** A member that was restarted, and its next process. The next process gets exactly the partitions of the former one. */
  replaced?: { member: string; by: string };
  /** Messages that are handled this long after the change must be committed soon. If absent, commits are not judged. */
  commitsAfterMs?: number;
  /** How many members join. They get the partitions that were held longest. */
  joins: number;
}

/** Judges one isolated change of a group at rest: I6, I10, and I3 across epochs. */
export class CalmCheck {
  readonly #world: World;
  readonly #owners = new Map<number, { member: string; epoch: number; opens: number }>();
  readonly #repeats: number;

  /** Create the check in a group at rest, before the change. */
  constructor(world: World) {
    this.#world = world;
    this.#repeats = world.handling.repeats;
    for (const [partition, { owner, revision }] of world.ledger.leases) {
      const member = world.ledger.memberOf(owner) ?? '';
      this.#owners.set(partition, { member, epoch: revision, opens: world.opens[partition] ?? 0 });
    }
  }

  /** By partition, the last message that its owner has handled without a gap. Committed messages are left out. */
  owed(): Map<number, { sequence: number; epoch: number }> {
    const { ledger, server, settings } = this.#world;
    const owed = new Map<number, { sequence: number; epoch: number }>();
    for (let partition = 0; partition < settings.partitions; partition++) {
      const { revision: epoch } = ledger.lease(partition);
      let next = server.log.firstAfter(partition, ledger.position(partition).sequence);
      while (next?.done && next.handledUnder === epoch) {
        owed.set(partition, { sequence: next.sequence, epoch });
        next = server.log.of(partition)[next.index + 1];
      }
    }
    return owed;
  }

  /** An owner that is in contact commits within a bounded time. */
  judgeCommits({ what }: Expectation, owed: ReturnType<CalmCheck['owed']>): void {
    const { judge, ledger } = this.#world;
    for (const [partition, { sequence, epoch }] of owed) {
      const isOwner = ledger.lease(partition).revision === epoch;
      const { sequence: committed } = ledger.position(partition);
      if (isOwner && committed < sequence)
        judge.violate(
          'I3',
          `${what}: p${partition} is still at ${committed}, but its owner has handled ${sequence}`,
        );
    }
  }

  /** Judges the change. Call this when the group is at rest again. */
  judge(expected: Expectation): void {
    const { judge, handling } = this.#world;
    if (!expected.movesFreely) this.#judgeMoves(expected);
    if (!expected.mayRepeat && handling.repeats > this.#repeats) {
      judge.violate(
        'I3',
        `${expected.what}: ${handling.repeats - this.#repeats} messages were handled twice`,
      );
    }
  }

  #judgeMoves(expected: Expectation): void {
    const { judge, ledger, opens, active } = this.#world;
    const moved: number[] = [];
    for (const [partition, before] of this.#owners) {
      const { owner, revision } = ledger.lease(partition);
      const now = ledger.memberOf(owner);
      if (before.member === expected.replaced?.member && now === expected.replaced.by) continue;
      if (now !== before.member) moved.push(partition);
      else if (revision !== before.epoch) {
        judge.violate(
          'I10',
          `${expected.what}: p${partition} stayed with ${before.member} but got a new epoch`,
        );
      } else if (!expected.mayReopen && opens[partition] !== before.opens) {
        judge.violate('I10', `${expected.what}: p${partition} stayed with ${before.member} but was stopped`);
      }
    }
    const fewest = expected.replaced ? 0 : this.#fewestMoves(active.map(({ name }) => name));
    if (moved.length !== fewest) {
      judge.violate('I6', `${expected.what}: ${moved.length} partitions moved, but ${fewest} moves suffice`);
    }
    if (expected.joins > 0) this.#judgeChoice(expected, new Set(moved));
  }

  #fewestMoves(members: string[]): number {
    const held = members.map((name) => [...this.#owners.values()].filter((o) => o.member === name).length);
    held.sort((a, b) => b - a);
    const total = this.#owners.size;
    const share = Math.floor(total / members.length);
    const larger = total % members.length;
    const staying = held.reduce((sum, count, i) => sum + Math.min(count, i < larger ? share + 1 : share), 0);
    return total - staying;
  }

  /** A member must give up the partitions that it has held longest. */
  #judgeChoice(expected: Expectation, moved: ReadonlySet<number>): void {
    const oldestKept = new Map<string, number>();
    for (const [partition, { member, epoch }] of this.#owners) {
      if (!moved.has(partition)) oldestKept.set(member, Math.min(epoch, oldestKept.get(member) ?? epoch));
    }
    for (const partition of moved) {
      const before = this.#owners.get(partition);
      if (!before) continue;
      const kept = oldestKept.get(before.member) ?? Number.POSITIVE_INFINITY;
      if (before.epoch > kept) {
        this.#world.judge.violate(
          'I6',
          `${expected.what}: ${before.member} gave up p${partition}, though it had held another partition longer`,
        );
      }
    }
  }
}
