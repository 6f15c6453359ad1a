import type { MemberControl, PartitionChoice } from '../protocol/member-orders.js';
import type { MemberEngine } from './engine/engine.js';

/** Executes requests to this member's endpoints. `member` is a function, because the member may not exist yet. */
export function memberControl(member: () => MemberEngine): MemberControl {
  const owned = (choice: PartitionChoice): number[] => {
    const all = member().status.partitions.map(({ partition }) => partition);
    return choice === 'all' ? all : all.filter((partition) => choice.includes(partition));
  };
  return {
    release: ({ partitions, to }) =>
      owned(partitions).filter((partition) => member().orders.release(partition, to)),
    retry: ({ partitions }) => owned(partitions).filter((partition) => member().orders.retry(partition)),
    skip: ({ partition, sequence, deadLetter, by }) =>
      member().orders.giveUp(partition, sequence, deadLetter ? 'dead-letter' : 'skip', by) ? [partition] : [],
    stop: () => {
      const partitions = owned('all');
      // The member's `closed` reports an error.
      member()
        .leave()
        .catch(() => {});
      return partitions;
    },
  };
}
