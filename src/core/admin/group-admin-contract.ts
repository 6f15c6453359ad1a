import type { Bucket } from '../ports/index.js';
import type { GroupObserver } from '../ports/observer.js';
import type { ControlClient } from '../protocol/member-orders.js';

/** The ports that the administration of a group uses. */
export interface GroupPorts {
  /** The group's name. */
  group: string;
  observer: GroupObserver;
  bucket: Bucket;
  /** The stream's own layout; absent for a keyed group. */
  own?: { prefix: string; filter: string } | undefined;
  control: ControlClient;
  /** The first sequence stored at or after a time. Rejects with a NatspocError if the server does not answer. */
  sequenceAt(time: Date): Promise<number>;
}

/** How partitions are released. */
export interface ReleaseOptions {
  /** Session id of the next owner. Default null: the member with the fewest partitions. */
  to?: string | null | undefined;
  /** True to fence an owner that does not answer. Its uncommitted messages are then handled again. Default false. */
  force?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** The limits of a healthy group; undefined means no limit. */
export interface CheckOptions {
  /** Maximum number of waiting messages in one partition. */
  maxLag?: number | undefined;
  /** Maximum age of a waiting message, in milliseconds. */
  maxAgeMs?: number | undefined;
  /** Maximum time without progress, in milliseconds. */
  stalledMs?: number | undefined;
  /** True to accept paused partitions. Default false: each is a warning. */
  allowPaused?: boolean | undefined;
}

/** The outcome of a pause. */
export interface PauseOutcome {
  /** Partitions whose state was changed. */
  changed: number[];
  /** Partitions whose messages are still being handled, each with the reason. */
  unfinished: ReadonlyMap<number, string>;
}
