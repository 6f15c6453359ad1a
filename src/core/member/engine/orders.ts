import type { Dealt } from '../../config/retry.js';
import type { State } from '../../protocol/state.js';
import type { EventWithoutNow } from './bucket-effects.js';
import type { OwnStatus } from './own-status.js';
import type { Runners } from './runners.js';

interface OrdersPorts {
  state: State;
  runners: Runners;
  status: Pick<OwnStatus, 'holdUps' | 'standing'>;
  feed: (event: EventWithoutNow) => void;
}

/** Executes requests from operators and the program for single partitions of a running member. */
export class Orders {
  readonly #ports: OrdersPorts;

  constructor(ports: OrdersPorts) {
    this.#ports = ports;
  }

  /**
   * Gives a partition to the member with this name or id. Null chooses the member with the fewest partitions. Returns false if this member
   * does not own the partition.
   */
  release(partition: number, to: string | null): boolean {
    const { state, feed } = this.#ports;
    const owned = state.own.has(partition);
    if (owned) feed({ type: 'release', partition, to });
    return owned;
  }

  /** Immediately retries what holds up a partition. Returns false if the partition is not held up, or if this member does not own it. */
  retry(partition: number): boolean {
    const { state, runners, feed } = this.#ports;
    const phase = state.own.get(partition)?.phase;
    const isHeldUp = phase === 'halted' || phase === 'waiting' || runners.activity(partition).failing;
    if (!isHeldUp) return false;
    runners.of(partition)?.retryNow();
    feed({ type: 'retry', partition });
    return true;
  }

  /**
   * Gives up a message that failed, or whose handler makes no progress. It is not tried again, and the partition continues. A call without
   * progress counts as failed at once, as if it had taken too long.
   *
   * @param by the operator's name.
   * @returns false if this message does not hold up the partition.
   */
  giveUp(partition: number, sequence: number, how: Exclude<Dealt, 'handled'>, by: string): boolean {
    const { state, runners, status } = this.#ports;
    if (!state.own.has(partition)) return false;
    const runner = runners.of(partition);
    const failing = runner?.failing(sequence);
    const halted = status.holdUps.haltedAt(partition);
    const isHalted = !failing && halted?.sequence === sequence;
    const failed = isHalted ? halted : failing;
    const hangs =
      status.standing.some((each) => each.partition === partition && each.why === 'handler') &&
      runner?.activity.running.some((each) => each.sequence === sequence) === true;
    if (!failed && !hangs) return false;
    const attempts = (failed?.attempt ?? 0) + (hangs ? 1 : 0);
    const reason = failed?.reason ?? 'its handler did not end';
    const error = runners.rules.giveUps.add(sequence, { partition, how, by, attempts, reason, isHalted });
    if (hangs) runner.failNow(sequence, error);
    else this.retry(partition);
    return true;
  }
}
