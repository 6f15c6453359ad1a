import type { Unreadable } from '../group/records.js';
import type { PositionFacts } from '../observe/facts.js';

/**
 * Why a position says nothing about what was handled. `beyond-end`: the stream ends before it, so it is of another
 * stream of that name, or of an end that is lost. `broken`: it cannot be read. `newer`: a newer version wrote it.
 */
export type PositionFault = 'beyond-end' | Unreadable;

/**
 * What is wrong with a position; null: nothing. Members do not read behind such a position, `leases check` fails, no lag
 * is known, and nothing is deleted for it.
 *
 * @param lastSequence of the stream, looked up after the position.
 */
export function positionFault(
  position: PositionFacts | undefined,
  lastSequence: number,
): PositionFault | null {
  if (!position) return null;
  return position.unreadable ?? (position.sequence > lastSequence ? 'beyond-end' : null);
}

/** What is wrong in words, and what cures it: completes `p3: `. */
export function describePositionFault(fault: PositionFault, sequence: number | null): string {
  switch (fault) {
    case 'beyond-end':
      return `its position ${sequence} is beyond the end of the stream: "leases seek" says where to go on`;
    case 'broken':
      return 'its position cannot be read: "leases seek" says where to go on';
    case 'newer':
      return 'its position was written by a newer version of natspoc, which has to handle it';
  }
}
