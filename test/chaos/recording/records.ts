/**
 * The records of a run. Each file is written by one process, with one JSON array per line. Each line is one synchronous write, so it
 * survives a kill right afterwards. Only the last line of a file can be incomplete.
 */

/**
 * Microseconds of the machine's monotonic clock. Times of different processes on one machine can be compared, because on Linux
 * `process.hrtime` reads CLOCK_MONOTONIC.
 */
export const monotonicUs = (): number => Number(process.hrtime.bigint() / 1_000n);

/** How a handler call ended. `failed` is on purpose. `stopped` means that its signal aborted. */
export type CallEnd = 'handled' | 'failed' | 'stopped';

/** The records of a member about itself and its calls. Times are in monotonic microseconds. */
export type CallRecord =
  | ['process', at: number, name: string, pid: number]
  | [
      'start',
      at: number,
      call: number,
      partition: number,
      epoch: number,
      seq: number,
      attempt: number,
      key: string | null,
      number: number,
      intact: boolean,
      deaf: boolean,
      /** The number of the first call of the batch. */
      batch: number,
    ]
  | ['told', at: number, call: number]
  | ['end', at: number, call: number, how: CallEnd]
  /** The event loop did not run between the two times. */
  | ['stall', from: number, to: number];

/** The harness's records about its processes, such as their starts, signals and ends. */
export type ProcessRecord =
  | ['spawn', at: number, name: string]
  | ['kill', at: number, name: string]
  | ['leave', at: number, name: string]
  | ['exit', at: number, name: string, code: number | null, signal: string | null, lastWords: string]
  /** All messages are handled. From now on members only leave. */
  | ['calm', at: number]
  /** The bucket was restored from an older copy, so revisions repeat. */
  | ['era', at: number]
  /** The harness's watch was restarted. Later entries replace everything that it had shown. */
  | ['looked-again', at: number]
  /** The stream, limited since `from`, has dropped all messages before the sequence `first`, handled or not. */
  | ['dropped', at: number, first: number, from: number];

/** The publisher's name among the processes. */
export const PUBLISHER = 'publisher';

/** The kinds of faults. */
export const FAULT_KINDS = [
  'kill',
  'short-stop',
  'long-stop',
  'leave',
  'restart',
  'join',
  'cut',
  'server-kill',
  'leader-kill',
  'route-cut',
  'refused',
  'readers-limited',
  'store-restored',
  'entries-removed',
  'stream-shrunk',
  'slow',
  'failing',
  'deaf',
  'release',
  'pause',
  'resize',
] as const;

/** A kind of fault. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** During these faults possibly no process can commit. */
export const SERVER_KINDS: readonly FaultKind[] = [
  'server-kill',
  'leader-kill',
  'route-cut',
  'refused',
  'readers-limited',
  'store-restored',
  'entries-removed',
];

/**
 * The start and end of a fault. `target` names a member, a server or partitions. `rested` is the time in which a partition was certainly
 * paused.
 */
export type FaultRecord =
  | ['begin', at: number, id: number, kind: FaultKind, target: string]
  | ['end', at: number, id: number, outcome: string, rested?: [from: number, to: number]];

/** An entry of the bucket as the harness saw it. The value is text, or null if the entry was deleted. */
export type BucketRecord = [at: number, revision: number, key: string, value: string | null];

/** The settings of the run, and its machine. */
export interface RunSettings {
  startedAt: string;
  startUs: number;
  seed: number;
  minutes: number;
  rate: number;
  group: string;
  /** True for a keyed group. Records of older runs lack it. */
  keyed?: boolean;
  partitions: number;
  servers: number;
  serverVersion: string;
  ttlMs: number;
  drainTimeoutMs: number;
  commitIntervalMs: number;
}

/** The names of the files in a run's folder. */
export const FILES = {
  settings: 'run.json',
  confirmed: 'confirmed.ndjson',
  calls: 'calls',
  notes: 'notes',
  processes: 'processes.ndjson',
  faults: 'faults.ndjson',
  bucket: 'bucket.ndjson',
} as const;

/** The subfolder of the twin group, which has another bucket. */
export const TWIN = 'twin';
