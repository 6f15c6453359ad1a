import type { ReaderWindow } from '../../ports/index.js';
import { readerName } from '../../protocol/reader-name.js';
import type { RunnerPorts, RunnerSettings } from './contract.js';
import { PartitionReader, type PartitionReaderEvents, type ReadingProgress } from './partition-reader.js';
import type { TrimWatch } from './stream-losses.js';
import type { Taken, Takeover } from './takeover.js';

/** The messages of a partition after the position that was taken over. */
export function readAfter(
  { partition, epoch, group, isHandled }: Takeover,
  { mark, reader, tags }: Taken,
  window: ReaderWindow,
  settings: RunnerSettings,
  ports: RunnerPorts,
  trimWatch: TrimWatch | undefined,
  progress: ReadingProgress,
  events: PartitionReaderEvents,
): PartitionReader {
  return new PartitionReader(
    mark,
    window,
    {
      ...ports,
      partition,
      name: readerName(group, partition, epoch, reader),
      trimWatch,
      concurrency: mostInCalls(settings, ports),
      isHandled: tags.sought ? undefined : isHandled,
      progress,
    },
    events,
  );
}

/**
 * How many messages calls may have at the same time. With batches: the running batch, and a full next batch.
 */
const mostInCalls = ({ concurrency = 1 }: RunnerSettings, { handler }: RunnerPorts): number =>
  typeof handler === 'function' ? concurrency : 2 * handler.limits.messages;
