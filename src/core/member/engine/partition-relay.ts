import type { NatspocError } from '../../lib/errors.js';
import { withoutStop } from '../../lib/text.js';
import type { PartitionEvents, PartitionListener } from '../partition/partition-events.js';
import type { EventWithoutNow } from './bucket-effects.js';
import type { HoldUps } from './hold-ups.js';
import type { Runners } from './runners.js';

interface RelayPorts {
  runners: Pick<Runners, 'remove'>;
  holdUps: HoldUps;
  feed: (event: EventWithoutNow) => void;
  fail: (error: NatspocError) => void;
}

/** Relays a partition's events during one epoch to the protocol and to the partition's listener. */
export function partitionRelay(
  partition: number,
  epoch: number,
  listener: PartitionListener,
  { runners, holdUps, feed, fail }: RelayPorts,
): PartitionEvents {
  return {
    ...listener,
    started: () => {
      holdUps.started(partition);
      feed({ type: 'partition-started', partition, epoch });
    },
    unread: (text, retryMs) => {
      const reason = withoutStop(text);
      holdUps.failed(partition, reason);
      listener.unread?.(reason, retryMs);
    },
    failed: (text) => {
      const message = withoutStop(text);
      runners.remove(partition, message);
      holdUps.failed(partition, message);
      feed({ type: 'partition-failed', partition, epoch, message });
    },
    halted: (text, held) => {
      const message = withoutStop(text);
      runners.remove(partition, message);
      holdUps.halted(partition, message, held);
      feed({ type: 'partition-halted', partition, epoch, message });
    },
    terminal: fail,
  };
}
