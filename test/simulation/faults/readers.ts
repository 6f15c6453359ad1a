import { newReaderToken } from '../../../src/core/member/partition/reader-token.js';
import { partitionSubject } from '../../../src/core/protocol/layout.js';
import { readerName, readerNamePrefix } from '../../../src/core/protocol/reader-name.js';
import type { World } from '../world.js';
import { during, type Fault } from './fault.js';

/** The server has as many consumers as it may have: for a while no reader that is lost can be replaced. */
export const noMoreReaders: Fault = ({ server: { consumers }, random, timeline }) => {
  const forMs = random.between(500, 8_000);
  consumers.deleteSome(() => random.chance(0.3));
  consumers.most = 0;
  timeline.after(forMs, () => {
    consumers.most = Number.POSITIVE_INFINITY;
  });
  // Until then it is tried ever later.
  return forMs * 2;
};

/**
 * Another client changes a reader: it leaves out payloads, or reads another partition, or one that does not exist. A reader
 * that all partitions share goes on delivering what the others' positions would follow.
 */
export const changedReader: Fault = (world) => {
  const { server, random, settings } = world;
  const name = random.oneOf([...server.consumers.names]);
  if (name === undefined) return 0;
  if (random.chance(settings.shared ? 0.2 : 0.5)) server.consumers.leaveOut(name);
  else {
    const isNone = random.chance(settings.shared ? 0.2 : 0.5);
    const other = isNone ? settings.partitions : random.int(0, settings.partitions - 1);
    const open = (ready: () => void) => server.log.open(other, server.log.last + 1, ready);
    server.consumers.redirect(name, partitionSubject('events', other), open);
    if (settings.shared)
      for (let partition = 0; partition < settings.partitions; partition++) world.store(partition);
    if (other < settings.partitions) world.store(other);
  }
  return 0;
};

/** Somebody else pulls from a reader: a few of its messages, or, with more requests than come messages, all of them. */
export const pulledReader: Fault = ({ server: { consumers }, random }) => {
  const name = random.oneOf([...consumers.names]);
  if (name !== undefined)
    consumers.steal(name, random.chance(0.5) ? random.int(1, 3) : Number.POSITIVE_INFINITY);
  return 0;
};

/**
 * Somebody makes the reader of an owner bring nothing, in a group at rest, where nothing else makes the owner open another:
 * changes it to a partition that there is not, or pulls all that it delivers.
 */
export function silenceReader({ server: { consumers, log }, random, settings, ledger, judge }: World): void {
  const partition = random.int(0, settings.partitions - 1);
  const isPulled = random.chance(0.5);
  const none = settings.partitions;
  judge.note(`--- p${partition} gets nothing: ${isPulled ? 'somebody pulls' : 'its reader is changed'}`);
  const prefix = readerNamePrefix(settings.group, partition, ledger.lease(partition).revision);
  for (const name of consumers.names.filter((each) => each.startsWith(prefix)))
    if (isPulled) consumers.steal(name, Number.POSITIVE_INFINITY);
    else
      consumers.redirect(name, partitionSubject('events', none), (ready) =>
        log.open(none, log.last + 1, ready),
      );
}

/** A group of the same name works in another bucket: what it does with the readers of its epochs, which are the same. */
export const twins: Fault = (world) => {
  const { server, random, settings, timeline } = world;
  const { consumers, log } = server;
  const open = (name: string): void => {
    const [, partition, epoch] = /-p(\d+)-e(\d+)-/.exec(name) ?? [];
    // The names of shared readers are random: there are no twins.
    if (partition === undefined) return;
    const twin = readerName(settings.group, Number(partition), Number(epoch), newReaderToken());
    timeline.after(random.between(0, 20), () => {
      consumers.delete(twin);
      consumers.create(twin, partitionSubject('events', Number(partition)), 'twin', (ready) =>
        log.open(Number(partition), log.last + 1, ready),
      );
    });
  };
  consumers.deleteSome(() => random.chance(0.3));
  return during(
    world,
    random.between(500, 4_000),
    () => {
      consumers.created = open;
    },
    () => {
      consumers.created = undefined;
    },
  );
};
