import type { Clock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { EventStream, ReaderOptions, Trimmed } from '../../ports/index.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PartitionEvents } from './partition-events.js';
import type { TrimWatch } from './stream-losses.js';

/** The dependencies of a reader. */
export interface PartitionReaderPorts {
  events: Pick<PartitionEvents, 'unread'>;
  clock: Clock;
  random: () => number;
  stream: EventStream;
  /** The partition, and the name of its reader on the server. */
  partition: number;
  name: string;
  /** Absent if the stream's readers report dropped messages. */
  trimWatch?: TrimWatch | undefined;
  /** See {@link ReaderOptions.concurrency}. */
  concurrency: number;
  /** See {@link ReaderOptions.isHandled}. */
  isHandled?: ReaderOptions['isHandled'];
  progress: ReadingProgress;
}

/** How far a partition has handled the delivered messages. */
export interface ReadingProgress {
  /** The number of delivered messages that are not settled. */
  waiting: () => number;
  /** See {@link ReaderOptions.handledUpTo}. */
  handledUpTo: () => number;
}

/** Receives the events of a `PartitionReader`, until the reader is closed. */
export interface PartitionReaderEvents {
  message(message: StreamMessage): void;
  /** The last request of the reader has ended, perhaps without all of its messages. */
  rests(): void;
  /** A reader is open, and its number of waiting messages is known. */
  opened(): void;
  /** The stream dropped messages before they were received. */
  trimmed(trimmed: Trimmed): void;
  /** A temporary failure. */
  failed(reason: string): void;
  /** The deliveries since the last commit may have left out messages. */
  mistrusted(reason: string): void;
  /** A failure that no retry can fix. */
  terminal(error: NatspocError): void;
}
