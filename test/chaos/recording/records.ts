/**
 * What a run writes down while it goes. Every file holds one JSON array a line, written by one process. A line goes
 * out with one synchronous write before anything else happens: it is in the hands of the kernel when the process is
 * killed the moment after. The last line of a file may be cut off.
 */

/**
 * Microseconds of the machine's monotonic clock. `process.hrtime` reads CLOCK_MONOTONIC on Linux, which starts with
 * the machine and not with the process: times of different processes of one machine can be compared.
 */
export const monotonicUs = (): number => Number(process.hrtime.bigint() / 1_000n);

/** How a call of a handler ended: handled, failed on purpose, or stopped because its signal said so. */
export type CallEnd = 'handled' | 'failed' | 'stopped';

/** What a consumer writes down about itself and its handler calls; times in monotonic microseconds. */
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
    ]
  /** Its signal has told the call to stop. */
  | ['told', at: number, call: number]
  | ['end', at: number, call: number, how: CallEnd]
  /** The event loop did not run between the two times. */
  | ['stall', from: number, to: number];

/** What the harness writes down about members and the publisher: started, sent a signal, gone. */
export type ProcessRecord =
  | ['spawn', at: number, name: string]
  | ['kill', at: number, name: string]
  | ['leave', at: number, name: string]
  | ['exit', at: number, name: string, code: number | null, signal: string | null, lastWords: string]
  /** Everything is handled; from now on members are only told to leave. */
  | ['calm', at: number]
  /** The bucket went back to an older state: revisions come again. */
  | ['era', at: number]
  /** What the harness knew of the bucket is replaced by what it sees from now on. */
  | ['looked-again', at: number]
  /** The stream has dropped everything before this sequence, handled or not. */
  | ['dropped', at: number, first: number];

/** The name of the publisher among the processes; members have others. */
export const PUBLISHER = 'publisher';

/** The kinds of disturbance. */
export const FAULT_KINDS = [
  'kill',
  'short-stop',
  'long-stop',
  'leave',
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
] as const;

/** One kind of disturbance. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** While one of these lasts no process may be able to commit. */
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
 * A fault begins, and ends; `target` is a member, a server or partitions. `rested`: when an operator had been told
 * that the partition rests, and when it was about to be resumed.
 */
export type FaultRecord =
  | ['begin', at: number, id: number, kind: FaultKind, target: string]
  | ['end', at: number, id: number, outcome: string, rested?: [from: number, to: number]];

/** An entry of the bucket as the harness saw it, its value as text; null: deleted. */
export type BucketRecord = [at: number, revision: number, key: string, value: string | null];

/** What was decided before the run, and what it ran on. */
export interface RunSettings {
  startedAt: string;
  startUs: number;
  seed: number;
  minutes: number;
  rate: number;
  group: string;
  /** A keyed group. Absent in older runs. */
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

/** The folder of a group beside the one of a run, with another bucket, below the run's. */
export const TWIN = 'twin';
