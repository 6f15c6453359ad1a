import type { Clock } from '../../lib/clock.js';
import type { EventStream, ReaderWindow } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { GroupStart } from '../partition/group-start.js';
import { newReaderToken } from '../partition/reader-token.js';
import { SharedStream } from './shared-stream.js';

/** The group for which {@link shareReaders} reads, and the limits of the reading. */
export interface ReadersOf {
  group: string;
  clock: Clock;
  start: GroupStart;
  /** Limit on messages and bytes in memory, for all partitions together. */
  budget: ReaderWindow;
}

/** Wraps a stream so that it is read only once for all partitions of a member. */
export function shareReaders(
  stream: EventStream,
  partitions: number,
  partitionOf: (message: StreamMessage) => number | undefined,
  { group, clock, start, budget }: ReadersOf,
): EventStream {
  const member = newReaderToken();
  let readers = 0;
  return new SharedStream({
    clock,
    stream,
    partitionOf,
    partitions,
    budget,
    lostFrom: start === 'unreadable' ? 0 : (start.end ?? start.seq),
    newName: () => `natspoc-${group}-${member}-${++readers}`,
  });
}
