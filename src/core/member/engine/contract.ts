import type { Clock } from '../../lib/clock.js';
import type {
  Bucket,
  DeadLetters,
  EventStream,
  Identities,
  LayoutKeeper,
  Link,
  Prober,
  ReaderWindow,
} from '../../ports/index.js';
import type { Report } from '../../protocol/events.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import type { GroupLayoutRecord } from '../../protocol/layout-records.js';
import type { PartitionIn } from '../../protocol/partition-start.js';
import type { Timing } from '../../protocol/timing.js';
import type { RunnerSettings, RunnerStatus } from '../partition/contract.js';
import type { GroupStart } from '../partition/group-start.js';
import type { Handler, InBatches } from '../partition/handler.js';
import type { Logger } from '../partition/logger.js';
import type { PartitionListener } from '../partition/partition-events.js';
import type { StateHooks } from '../partition/partition-state.js';
import type { Barrier } from '../partition/position-writer.js';
import type { Quota } from '../partition/quota.js';
import type { CallLimit } from '../partition/slots.js';
import type { Judge } from '../partition/verdict.js';

/** The identity and settings of a member. */
export interface MemberSettings {
  group: string;
  /** The member's name for display. The name need not be unique. */
  name: string;
  host: string;
  pid: number;
  version: string;
  partitions: number;
  /** The layout of a keyed group, and the revision of its entry; absent for the stream's own layout. */
  layout?: { record: GroupLayoutRecord; revision: number } | undefined;
  timing: Timing;
  /** Where partitions without a position start. */
  start: GroupStart;
  runner: RunnerSettings;
  /** Maximum number of parallel handler calls in all partitions together; undefined if there is no limit. */
  maxConcurrency?: number | undefined;
  /** Limit on messages and bytes in memory, for all partitions together. */
  budget: ReaderWindow;
  /** Seed for the random jitter of renewals and retries. */
  seed: number;
}

/** The dependencies of a member. */
export interface MemberPorts {
  bucket: Bucket;
  /** Absent if the bucket holds no layout. */
  layout?: LayoutKeeper | undefined;
  stream: EventStream;
  /** Creates the event stream and the layout keeper for the new layout of a resized group. Present for a keyed group. */
  resized?:
    | ((layout: GroupLayoutRecord) => { stream: EventStream; layout: LayoutKeeper | undefined })
    | undefined;
  /** Finds the partition of a message, for a given number of partitions. Present for a keyed group. */
  partitionIn?: PartitionIn | undefined;
  prober: Prober;
  identities: Identities;
  link: Link;
  clock: Clock;
  /** Processor time of this process so far, in milliseconds. Without this function, a blocked event loop is not reported. */
  cpuMs?: (() => number) | undefined;
  handler: Handler | InBatches;
  /** Receives the log lines of handlers. Default: the lines are discarded. */
  logger?: Logger | undefined;
  /** Limits the handler calls in all partitions; replaces `maxConcurrency`. */
  limit?: CallLimit | undefined;
  /** Limits the total number of handled messages. */
  quota?: Quota | undefined;
  /** Required if the failure policy is `dead-letter`, or there is a judge. */
  deadLetters?: DeadLetters | undefined;
  /** Decides what follows a failed attempt. If the judge returns no verdict, the failure policy decides. */
  judge?: Judge | undefined;
  /** The program's functions that are called when a partition starts or ends at this member. */
  hooks?: StateHooks | undefined;
  barrier?: Barrier | undefined;
}

/** Receives the events of a member. */
export interface MemberEvents {
  report(report: Report): void;
  /** Returns the listener of one partition. Called each time a runner of the partition starts. */
  partition(partition: number): PartitionListener;
}

/** The status of one partition, as its owner knows it. */
export interface PartitionStatus extends Omit<RunnerStatus, 'state'> {
  partition: number;
  epoch: number;
  /**
   * `retrying`: a message failed, and is tried again. `waiting`: the partition failed temporarily and will start again. `halted`,
   * `paused`: the partition stays in this state until an operator acts.
   */
  state: RunnerStatus['state'] | 'retrying' | 'halted' | 'paused';
  /** Who paused the partition, and when (ISO 8601, on the operator's clock); absent if it is not paused. */
  pause?: { readonly by: string; readonly at: string } | undefined;
  /** Why the partition is held up; absent if it is not. */
  holdUp?: HoldUp | undefined;
}
