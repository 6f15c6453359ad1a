import type { Config } from '../config/config.js';
import { unanswered } from '../lib/unanswered.js';
import { NatsEventStream } from '../nats/jetstream/event-stream.js';
import { natsControlClient } from '../nats/service/control-client.js';
import { natsGroupObserver } from '../nats/stream/group-observer.js';
import type { Topology } from '../nats/stream/topology.js';
import type { GroupPorts } from './group-admin-contract.js';
import type { SharedReads } from './shared-reads.js';

/**
 * The ports for the administration of a group on a real server.
 *
 * @param config the configuration, with the group's name.
 * @param shared reads that all groups share. Default: none.
 */
export function natsGroupPorts(topology: Topology, config: Config, shared?: SharedReads): GroupPorts {
  const { layout, bucket, connection, stream, reads, keyed } = topology;
  const events = new NatsEventStream(topology, stream, reads);
  const observer = natsGroupObserver(topology, { ...config, latest: shared?.latest });
  return {
    group: config.group,
    observer: shared?.share(observer, config.group, keyed !== undefined) ?? observer,
    bucket,
    ...(!keyed && { own: { prefix: layout.prefix, filter: reads.all } }),
    control: natsControlClient(connection, stream, config.group),
    sequenceAt: async (time) => {
      const found = await events.sequenceAt(time);
      if (found.kind === 'failed') throw found.error;
      if (found.kind === 'unknown') throw unanswered('look up the time', found);
      return found.sequence;
    },
  };
}
