import { newReaderToken } from '../../../src/core/member/partition/reader-token.js';
import { partitionSubject } from '../../../src/core/protocol/layout.js';
import { readerName, readerNamePrefix } from '../../../src/core/protocol/reader-name.js';
import type { World } from '../world.js';
import { during, type Fault } from './fault.js';

/** The limit of consumers is reached, so for some time a lost reader cannot be replaced. */
export const noMoreReaders: Fault = ({ server: { consumers }, random, timeline }) => {
  const forMs = random.between(500, 8_000);
  consumers.deleteSome(() => random.chance(0.3));
  consumers.most = 0;
  timeline.after(forMs, () => {
    consumers.most = Number.POSITIVE_INFINITY;
  });
  // A refused reader is retried with backoff. That can take as long as the fault itself.
  return forMs * 2;
};

/**
 * Another client changes a reader. The reader then omits payloads, reads another partition, or reads a missing one. A changed shared reader
 * keeps delivering. If these deliveries counted, the positions would follow them. An update without a change has no effect, so the new
 * filter always differs from the old one.
 */
export const changedReader: Fault = (world) => {
  const { server, random, settings, handling } = world;
  const name = random.oneOf([...server.consumers.names]);
  if (name === undefined) return 0;
  if (random.chance(settings.shared ? 0.2 : 0.5)) server.consumers.leaveOut(name);
  else {
    const isNone = random.chance(settings.shared ? 0.2 : 0.5);
    const drawn = isNone ? settings.partitions : random.int(0, settings.partitions - 1);
    const isOwn = name.startsWith(`natspoc-${settings.group}-p${drawn}-`);
    const other = isOwn ? settings.partitions : drawn;
    const open = (ready: () => void) => server.log.open(other, server.log.last + 1, ready);
    server.consumers.redirect(name, partitionSubject('events', other), open);
    if (settings.shared) {
      handling.displaced(settings.ttlMs);
      for (let partition = 0; partition < settings.partitions; partition++) world.store(partition);
    }
    if (other < settings.partitions) world.store(other);
  }
  return 0;
};

/** Another client pulls messages from a reader. With more requests than messages, it gets all of them. */
export const pulledReader: Fault = ({ server: { consumers }, random }) => {
  const name = random.oneOf([...consumers.names]);
  if (name !== undefined)
    consumers.steal(name, random.chance(0.5) ? random.int(1, 3) : Number.POSITIVE_INFINITY);
  return 0;
};

/**
 * Another client silences an owner's reader, in a group at rest. The owner has no other reason to replace the reader. The reader is changed
 * to a missing partition, or all its messages are pulled.
 */
export function silenceReader({ server: { consumers, log }, random, settings, ledger, judge }: World): void {
  const partition = random.int(0, settings.partitions - 1);
  const isPulled = random.chance(0.5);
  const none = settings.partitions;
  judge.note(`--- p${partition} gets nothing: ${isPulled ? 'a client pulls' : 'its reader is changed'}`);
  const prefix = readerNamePrefix(settings.group, partition, ledger.lease(partition).revision);
  for (const name of consumers.names.filter((each) => each.startsWith(prefix)))
    if (isPulled) consumers.steal(name, Number.POSITIVE_INFINITY);
    else
      consumers.redirect(name, partitionSubject('events', none), (ready) =>
        log.open(none, log.last + 1, ready),
      );
}

/** A group of the same name in another bucket. Its readers have the same epochs. */
export const twins: Fault = (world) => {
  const { server, random, settings, timeline } = world;
  const { consumers, log } = server;
  const open = (name: string): void => {
    const [, partition, epoch] = /-p(\d+)-e(\d+)-/.exec(name) ?? [];
    // The names of shared readers are random, so the twin's readers differ.
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
