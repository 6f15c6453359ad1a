import type { ReaderWindow } from '../../ports/index.js';
import { readerName } from '../../protocol/reader-name.js';
import type { RunnerPorts, RunnerSettings } from './contract.js';
import { PartitionReader, type PartitionReaderEvents } from './partition-reader.js';
import type { TrimWatch } from './stream-losses.js';
import type { Taken, Takeover } from './takeover.js';

/**
 * The messages of a partition after the position that was taken over.
 *
 * @param waiting how many delivered messages are not settled.
 */
export function readAfter(
  { partition, epoch, group, isHandled }: Takeover,
  { mark, reader, tags }: Taken,
  window: ReaderWindow,
  settings: RunnerSettings,
  ports: RunnerPorts,
  trimWatch: TrimWatch | undefined,
  waiting: () => number,
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
      concurrency: settings.concurrency ?? 1,
      isHandled: tags.sought ? undefined : isHandled,
      waiting,
    },
    events,
  );
}
