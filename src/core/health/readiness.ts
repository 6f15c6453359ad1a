import { formatDuration } from '../lib/units.js';
import { describeHoldUp, remedyOf, SLOW_HANDLER_MS } from '../protocol/hold-up.js';
import type { HealthSubject } from './subject.js';

/** The part of a member that readiness depends on. */
export type Watched = Pick<HealthSubject, 'id' | 'partitions' | 'standing'> & {
  on(type: 'expired' | 'resumed' | 'joined', listener: () => void): unknown;
};

/** Decides whether a member can do its work. The member itself detects missing progress. */
export class Readiness {
  readonly #member: Watched;
  #inTouch = true;

  constructor(member: Watched) {
    this.#member = member;
    member.on('expired', () => {
      this.#inTouch = false;
    });
    for (const type of ['resumed', 'joined'] as const) {
      member.on(type, () => {
        this.#inTouch = true;
      });
    }
  }

  /** One line per problem; empty if the member is ready. */
  problems(): string[] {
    const { id, standing, partitions } = this.#member;
    const held = new Map(partitions.map((each) => [each.partition, each.holdUp]));
    const remedy = (partition: number | null): string => {
      const holdUp = partition === null ? undefined : held.get(partition);
      return partition !== null && holdUp ? `; ${remedyOf(partition, holdUp)}` : '';
    };
    const problems = standing
      .filter(({ why, forMs }) => why === 'stuck' || forMs > SLOW_HANDLER_MS)
      .map(({ partition, reason, forMs }) => {
        const what = partition === null ? 'the member' : `p${partition}`;
        return `${what} has made no progress for ${formatDuration(forMs)}: ${reason}${remedy(partition)}`;
      });
    for (const { partition, state, holdUp } of partitions)
      if (state === 'halted')
        problems.push(`p${partition} is ${holdUp ? describeHoldUp(holdUp) : state}${remedy(partition)}`);
    if (id === null) return ['not in the group', ...problems];
    return this.#inTouch ? problems : ['could not renew its session in time', ...problems];
  }
}
