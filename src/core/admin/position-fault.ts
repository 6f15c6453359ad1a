import { mapConcurrently } from '../lib/concurrently.js';
import type { PositionFacts, StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import { type Misfit, misfit } from '../protocol/position-mark.js';
import type { Unreadable } from '../protocol/record-format.js';

const CONCURRENT_READS = 16;

/** The fault of a position; see {@link Misfit} and {@link Unreadable}. */
export type PositionFault = Misfit | Unreadable;

/**
 * Finds the wrong positions, by partition. Members do not read a partition with a wrong position, and its lag is unknown.
 *
 * @param stream the state of the stream, read after the positions.
 */
export async function readPositionFaults(
  observer: Pick<GroupObserver, 'storedTime'>,
  positions: readonly PositionFacts[],
  stream: Pick<StreamFacts, 'lastSequence' | 'createdAtMs'>,
): Promise<Map<number, PositionFault>> {
  const { lastSequence: last, createdAtMs: created } = stream;
  const faults = new Map<number, PositionFault>();
  await mapConcurrently(positions, CONCURRENT_READS, async (position) => {
    const { partition, sequence, unreadable } = position;
    const mayHave = position.stored !== undefined && sequence <= last;
    const stored = mayHave && !unreadable ? await observer.storedTime(sequence) : undefined;
    const fault = unreadable ?? misfit(position, { last, created, stored });
    if (fault !== null) faults.set(partition, fault);
  });
  return faults;
}

/** The problem and its remedy, as text after `p3: `. */
export function describePositionFault(fault: PositionFault, sequence: number | null): string {
  switch (fault) {
    case 'beyond-end':
      return `its position ${sequence} is beyond the end of the stream; choose where to continue with "leases seek"`;
    case 'other-stream':
      return `its position ${sequence} is of another stream: this stream was created again, or restored from an older copy; choose where to continue with "leases seek"`;
    case 'broken':
      return 'its position cannot be read; choose where to continue with "leases seek"';
    case 'newer':
      return 'its position was written by a newer version of natspoc, which must handle it';
  }
}
