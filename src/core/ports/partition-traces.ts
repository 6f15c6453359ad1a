/** The newest entry of one bucket key of a partition. All times are on the same clock, in milliseconds. */
export interface PartitionTrace {
  kind: 'lease' | 'position' | 'override' | 'cleared';
  partition: number;
  revision: number;
  /** True for a deletion marker. */
  ended: boolean;
  /** For a lease, the number of the key's entries; otherwise 1. */
  entries: number;
  atMs: number;
}

/** The entries of a group's partitions in the bucket. */
export interface PartitionTraces {
  /**
   * All traces, the number of partitions in the group's layout, and the current time on the server's clock. Undefined if
   * the group was never resized. Rejects if the traces cannot be read.
   */
  read(): Promise<{ traces: PartitionTrace[]; partitions: number; nowMs: number } | undefined>;
  /**
   * Deletes the entries of a trace's key, up to and including the trace. A lease keeps the trace itself. Rejects on
   * failure.
   */
  purge(trace: PartitionTrace): Promise<void>;
}
