/**
 * The records of a run. Each file is written by one process and has one JSON array per line. A line is one synchronous write, so it
 * survives if the process is killed right afterwards. The last line of a file may be incomplete.
 */

/**
 * Microseconds of the machine's monotonic clock. On Linux `process.hrtime` reads CLOCK_MONOTONIC, which starts with the machine,
 * so times of different processes on one machine can be compared.
 */
export const monotonicUs = (): number => Number(process.hrtime.bigint() / 1_000n);

/** How a handler call ended: the message was handled, the call failed on purpose, or it stopped because its signal aborted. */
export type CallEnd = 'handled' | 'failed' | 'stopped';

/** The records of a member about itself and its calls; times in monotonic microseconds. */
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
  /** The signal of the call has aborted. */
  | ['told', at: number, call: number]
  | ['end', at: number, call: number, how: CallEnd]
  /** The event loop did not run between the two times. */
  | ['stall', from: number, to: number];

/** The harness's records about members and the publisher: when a process started, got a signal, and ended. */
export type ProcessRecord =
  | ['spawn', at: number, name: string]
  | ['kill', at: number, name: string]
  | ['leave', at: number, name: string]
  | ['exit', at: number, name: string, code: number | null, signal: string | null, lastWords: string]
  /** All messages are handled; from now on members only leave. */
  | ['calm', at: number]
  /** The bucket returned to an older state, so revisions repeat. */
  | ['era', at: number]
  /** The harness's watch was restarted: later entries replace everything that the watch had shown. */
  | ['looked-again', at: number]
  /** The stream has dropped all messages before the sequence `first`, handled or not, because it had a small limit from `from` on. */
  | ['dropped', at: number, first: number, from: number];

/** The name of the publisher among the processes; members have other names. */
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

/** During these faults it is possible that no process can commit. */
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
 * The start and end of a fault. `target` names a member, a server or partitions. `rested` is the time from the confirmation of a pause to
 * the start of the resume.
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
  /** True for a keyed group; absent in older runs. */
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
