import { asObject, decode, isCount, orNull } from '../lib/json.js';
import { type HoldUp, isHoldUp } from './hold-up.js';

/** The version of STATS data that this program writes, and the newest version that it reads. */
export const STATS_VERSION = 1;

/** Durations of a sample of recent handler calls, in milliseconds. */
export interface HandlerTimeStats {
  samples: number;
  meanMs: number;
  /** The median; absent if not reported. */
  p50Ms?: number;
  p99Ms: number;
  maxMs: number;
}

/** A {@link MemorySample} in a STATS answer, with its trend as text (see {@link describeTrend}). */
export interface MemoryStats {
  allocBytes: number;
  totalAllocBytes: number;
  sysBytes: number;
  numGc: number;
  verdict: string;
}

/** The status of one partition, as its owner reports it. */
export interface PartitionStats {
  partition: number;
  epoch: number;
  /** The last handled sequence. A shared reader may have advanced it past messages of other partitions. */
  position: number;
  /** Messages handled in this epoch; absent if unknown. */
  handled?: number;
  /** Number of waiting messages, as of the last delivery; absent if unknown. */
  lag?: number;
  /**
   * At most this number of messages were dropped before they were handled, since the group's start or the last seek.
   * Absent if unknown.
   */
  trimmed?: number;
  /** Recent messages per second; absent if unknown. */
  ratePerSecond?: number;
  /** The state of the partition, such as `running`, `draining` or `halted`; absent if unknown. */
  state?: string;
  /** Why the partition is held up; absent if it is not, or if unknown. */
  holdUp?: HoldUp;
  /**
   * Time from this epoch's lease to the start of message handling, in milliseconds; absent before the start, or if
   * unknown.
   */
  tookMs?: number;
}

/** The data of a member's STATS answer. */
export interface MemberStats {
  v: number;
  /** Session id, which is the id of the micro service; empty without a session. */
  session: string;
  name: string;
  group: string;
  stream: string;
  host: string;
  pid: number;
  version: string;
  /** When the member started, on its own wall clock (ISO 8601), for display only. */
  startedAt: string;
  uptimeMs: number;
  partitions: PartitionStats[];
  /** Messages handled since the member started. */
  handled: number;
  /** Attempts that have failed since the member started. */
  failed: number;
  /** Number of failed attempts that were followed by another attempt; absent if unknown. */
  retried?: number;
  /** Number of messages that handlers are running for now; absent if unknown. */
  inFlight?: number;
  /** In a keyed group: handled messages without a key, since the member started; absent if unknown. */
  withoutKey?: number;
  memory: MemoryStats;
  /** Partitions without progress, or the member itself; absent if unknown. */
  standing?: StandingStats[];
  /** Absent if nothing has been measured yet. */
  handlerTimes?: HandlerTimeStats;
}

/** A partition or member that makes no progress. */
export interface StandingStats {
  /** null for the member as a whole. */
  partition: number | null;
  reason: string;
  forMs: number;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

const decodePartition = (value: unknown): PartitionStats | undefined =>
  decode(
    value,
    { partition: isCount, epoch: isCount, position: isCount },
    {
      handled: isCount,
      lag: isCount,
      trimmed: isCount,
      ratePerSecond: isAmount,
      state: isText,
      holdUp: isHoldUp,
      tookMs: isAmount,
    },
  );

const decodeMemory = (value: unknown): MemoryStats | undefined =>
  decode(value, {
    allocBytes: isAmount,
    totalAllocBytes: isAmount,
    sysBytes: isAmount,
    numGc: isCount,
    verdict: isText,
  });

const decodeHandlerTimes = (value: unknown): HandlerTimeStats | undefined =>
  decode(
    value,
    { samples: isCount, meanMs: isAmount, p99Ms: isAmount, maxMs: isAmount },
    { p50Ms: isAmount },
  );

const decodeStanding = (value: unknown): StandingStats | undefined =>
  decode(value, { partition: orNull(isCount), reason: isText, forMs: isAmount });

const MEMBER = {
  v: (value: unknown): value is number => isCount(value) && value >= 1 && value <= STATS_VERSION,
  session: isText,
  name: isText,
  group: isText,
  stream: isText,
  host: isText,
  pid: isCount,
  version: isText,
  startedAt: isText,
  uptimeMs: isAmount,
  handled: isCount,
  failed: isCount,
};

/** Decodes the stats of a member from the `data` of a STATS answer; undefined if they cannot be read. */
export function decodeMemberStats(value: unknown): MemberStats | undefined {
  const fields = asObject(value);
  const member = decode(value, MEMBER, { withoutKey: isCount, retried: isCount, inFlight: isCount });
  const memory = decodeMemory(fields?.memory);
  if (!member || !memory || !Array.isArray(fields?.partitions)) return undefined;
  const partitions = fields.partitions.map(decodePartition).filter((each) => each !== undefined);
  if (partitions.length !== fields.partitions.length) return undefined;
  const standing = Array.isArray(fields.standing) && {
    standing: fields.standing.map(decodeStanding).filter((each) => each !== undefined),
  };
  const handlerTimes = decodeHandlerTimes(fields.handlerTimes);
  return { ...member, partitions, memory, ...standing, ...(handlerTimes && { handlerTimes }) };
}
