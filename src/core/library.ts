import { StreamAdmin as Opened } from './admin/stream-admin.js';
import { onAbort } from './lib/on-abort.js';
import { natsPublishPort } from './nats/jetstream/pipeline.js';
import { openOwnSubjects } from './nats/stream/own-subjects.js';
import { openTopology } from './nats/stream/topology.js';
import { createPublisherConfig, joinGroupConfig, openStreamConfig } from './options/check.js';
import { connectionOf } from './options/connected.js';
import type { GroupPublisher } from './options/group-publisher.js';
import type { GroupMember } from './options/joined.js';
import type { JoinGroupOptions } from './options/member.js';
import { openMember } from './options/open-member.js';
import { publisherOf } from './options/open-publisher.js';
import type { StreamAdmin } from './options/opened.js';
import type { CreatePublisherOptions } from './options/publisher.js';
import type { OpenStreamOptions } from './options/stream.js';

/**
 * Joins a group. Resolves when this process is a member and handles its share of the partitions. Creates a missing
 * stream, bucket and layout.
 *
 * @throws NatspocError if the group cannot be joined: `unreachable`, `config`, `layout-mismatch`,
 *   `not-permitted`, …; or the abort reason of `signal`.
 */
export async function joinGroup<Value = undefined, State = undefined>(
  options: JoinGroupOptions<Value, State>,
): Promise<GroupMember<Value, State>> {
  const config = joinGroupConfig(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const joining = openMember(options, config);
  if (!signal) return joining;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason);
      // The caller has stopped waiting, so a member that still joins leaves again.
      joining.then((member) => member.leave()).catch(() => {});
    };
    const forget = onAbort(signal, giveUp);
    joining.then(resolve, reject).finally(forget);
  });
}

/**
 * Opens a publisher to the partitions of a stream. Creates a missing stream, bucket and layout.
 *
 * @throws NatspocError with the codes of {@link joinGroup}.
 */
export async function createPublisher(options: CreatePublisherOptions): Promise<GroupPublisher> {
  const config = createPublisherConfig(options);
  const { connection, close } = await connectionOf(options, config, 'publisher');
  try {
    const target = options.ownSubjects
      ? await openOwnSubjects(connection, config)
      : await openTopology(connection, config, {
          create: true,
          uses: ['publish'],
          asItIs: 'To publish to its own subjects set option "ownSubjects"',
        });
    const { stream, domain, duplicateWindowMs } = target;
    return publisherOf(
      options,
      {
        ...('layout' in target ? { layout: target.layout } : { subjects: target.subjects }),
        openPort: natsPublishPort(connection, { stream, domain, inboxPrefix: config.inboxPrefix }),
        duplicateWindowMs,
        timeoutMs: config.given.has('timeoutMs') ? config.timeoutMs : undefined,
        maxPendingMessages: config.maxPendingMessages,
      },
      close,
    );
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Opens an existing stream, to inspect it and to control its groups: `stream.group('billing').status()`.
 * Creates nothing. If only groups with a key read the stream, name a group: `stream.group('billing')`, or the option `group`.
 *
 * @throws NatspocError with the codes of {@link joinGroup}, and `stream-missing`.
 */
export async function openStream(options: OpenStreamOptions = {}): Promise<StreamAdmin> {
  const config = openStreamConfig(options);
  const { connection, close } = await connectionOf(options, config, 'admin');
  try {
    return await Opened.openAll(connection, config, close);
  } catch (error) {
    await close();
    throw error;
  }
}
