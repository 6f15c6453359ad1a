import type { MemberControl, PartitionChoice } from '../protocol/member-orders.js';
import type { MemberEngine } from './engine/engine.js';

/** What this member does when it is asked through its endpoints. `member` is asked late: it may not exist yet. */
export function memberControl(member: () => MemberEngine): MemberControl {
  const owned = (choice: PartitionChoice): number[] => {
    const all = member().partitions.map(({ partition }) => partition);
    return choice === 'all' ? all : all.filter((partition) => choice.includes(partition));
  };
  return {
    release: ({ partitions, to }) => owned(partitions).filter((partition) => member().release(partition, to)),
    stop: () => {
      const partitions = owned('all');
      // Whoever waits for the member to close hears of what goes wrong.
      member()
        .leave()
        .catch(() => {});
      return partitions;
    },
  };
}
