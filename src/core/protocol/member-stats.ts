import { asObject } from '../lib/json.js';

/** The format of STATS data that this version writes, and the newest that it reads. */
export const STATS_VERSION = 1;

/** How long a handler takes, milliseconds, by a sample of its latest calls. */
export interface HandlerTimeStats {
  samples: number;
  meanMs: number;
  p99Ms: number;
  maxMs: number;
}

/** A {@link MemorySample} as it travels in a STATS answer, its trend as {@link describeTrend} says it. */
export interface MemoryStats {
  allocBytes: number;
  totalAllocBytes: number;
  sysBytes: number;
  numGc: number;
  verdict: string;
}

/** One partition as its owner sees it. */
export interface PartitionStats {
  partition: number;
  epoch: number;
  /** The last stream sequence handled. */
  position: number;
  /** Messages handled in this epoch; absent: not said. */
  handled?: number;
  /** Messages that wait for it, as of the last delivery; absent: not said. */
  lag?: number;
  /** Messages that the stream dropped before they were handled, at most, since the group began here or a seek; absent: not said. */
  trimmed?: number;
  /** Messages a second, lately; absent: not said. */
  ratePerSecond?: number;
  /** What it is doing, such as `running`, `draining` or `halted`; absent: not said. */
  state?: string;
  /** From getting the lease of this epoch to handling, milliseconds; absent: not said, or not begun. */
  tookMs?: number;
}

/** The data of a member's micro-service STATS answer: what it is, owns and uses. */
export interface MemberStats {
  v: number;
  /** Session id, the id of the micro service; empty while there is none. */
  session: string;
  name: string;
  group: string;
  stream: string;
  host: string;
  pid: number;
  version: string;
  /** The member's wall clock, ISO 8601: for people only. */
  startedAt: string;
  uptimeMs: number;
  partitions: PartitionStats[];
  /** Messages handled since the start. */
  handled: number;
  /** Attempts that failed since the start. */
  failed: number;
  memory: MemoryStats;
  /** What makes no progress though it should; absent: not said. */
  standing?: StandingStats[];
  /** How long its handler takes; absent: nothing measured yet. */
  handlerTimes?: HandlerTimeStats;
}

/** Something that makes no progress. */
export interface StandingStats {
  /** null: the member as a whole. */
  partition: number | null;
  reason: string;
  forMs: number;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

function decodePartition(value: unknown): PartitionStats | undefined {
  const fields = asObject(value);
  if (!fields) return undefined;
  const { partition, epoch, position, handled, lag, trimmed, ratePerSecond, state, tookMs } = fields;
  if (!isCount(partition) || !isCount(epoch) || !isCount(position)) return undefined;
  return {
    partition,
    epoch,
    position,
    ...(isCount(handled) && { handled }),
    ...(isCount(lag) && { lag }),
    ...(isCount(trimmed) && { trimmed }),
    ...(isAmount(ratePerSecond) && { ratePerSecond }),
    ...(isText(state) && { state }),
    ...(isAmount(tookMs) && { tookMs }),
  };
}

function decodeMemory(value: unknown): MemoryStats | undefined {
  const fields = asObject(value);
  if (!fields) return undefined;
  const { allocBytes, totalAllocBytes, sysBytes, numGc, verdict } = fields;
  return isAmount(allocBytes) &&
    isAmount(totalAllocBytes) &&
    isAmount(sysBytes) &&
    isCount(numGc) &&
    isText(verdict)
    ? { allocBytes, totalAllocBytes, sysBytes, numGc, verdict }
    : undefined;
}

function decodeHandlerTimes(value: unknown): HandlerTimeStats | undefined {
  const { samples, meanMs, p99Ms, maxMs } = asObject(value) ?? {};
  return isCount(samples) && isAmount(meanMs) && isAmount(p99Ms) && isAmount(maxMs)
    ? { samples, meanMs, p99Ms, maxMs }
    : undefined;
}

function decodeStanding(value: unknown): StandingStats | undefined {
  const { partition, reason, forMs } = asObject(value) ?? {};
  return (partition === null || isCount(partition)) && isText(reason) && isAmount(forMs)
    ? { partition, reason, forMs }
    : undefined;
}

/** The member's stats in this value (the `data` of a STATS answer), or undefined if they are none that we can read. */
export function decodeMemberStats(value: unknown): MemberStats | undefined {
  const fields = asObject(value);
  if (!fields) return undefined;
  const { v, session, name, group, stream, host, pid, version, startedAt, uptimeMs, handled, failed } =
    fields;
  if (!isCount(v) || v < 1 || v > STATS_VERSION) return undefined;
  if (!isText(session) || !isText(name) || !isText(group) || !isText(stream)) return undefined;
  if (!isText(host) || !isCount(pid) || !isText(version) || !isText(startedAt)) return undefined;
  if (!isAmount(uptimeMs) || !isCount(handled) || !isCount(failed)) return undefined;
  if (!Array.isArray(fields.partitions)) return undefined;
  const partitions = fields.partitions.map(decodePartition).filter((each) => each !== undefined);
  const memory = decodeMemory(fields.memory);
  const handlerTimes = decodeHandlerTimes(fields.handlerTimes);
  const standing = Array.isArray(fields.standing)
    ? fields.standing.map(decodeStanding).filter((each) => each !== undefined)
    : undefined;
  if (!memory || partitions.length !== fields.partitions.length) return undefined;
  return {
    v,
    session,
    name,
    group,
    stream,
    host,
    pid,
    version,
    startedAt,
    uptimeMs,
    partitions,
    handled,
    failed,
    memory,
    ...(standing && { standing }),
    ...(handlerTimes && { handlerTimes }),
  };
}
