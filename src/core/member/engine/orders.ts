import type { Dealt } from '../../config/retry.js';
import type { State } from '../../protocol/state.js';
import type { EventWithoutNow } from './bucket-effects.js';
import type { HoldUps } from './hold-ups.js';
import type { Runners } from './runners.js';

interface OrdersPorts {
  state: State;
  runners: Runners;
  holdUps: HoldUps;
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
   * Gives up a failed message. It is not tried again, and the partition continues.
   *
   * @param by the operator's name.
   * @returns false if this message does not hold up the partition.
   */
  giveUp(partition: number, sequence: number, how: Exclude<Dealt, 'handled'>, by: string): boolean {
    const { state, runners, holdUps } = this.#ports;
    if (!state.own.has(partition)) return false;
    const halted = holdUps.haltedAt(partition);
    const failed =
      runners.of(partition)?.failing(sequence) ?? (halted?.sequence === sequence ? halted : undefined);
    if (!failed) return false;
    const tries = failed.attempt === null ? '' : ` after attempt ${failed.attempt}`;
    runners.rules.giveUps.add(partition, sequence, how, `given up by ${by}${tries}: ${failed.reason}`);
    this.retry(partition);
    return true;
  }
}
