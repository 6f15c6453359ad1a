/** The newest entry of one bucket key of a partition. All times are on the same clock, in milliseconds. */
export interface PartitionTrace {
  kind: 'lease' | 'position' | 'override' | 'cleared';
  partition: number;
  revision: number;
  /** True for a deletion marker. */
  ended: boolean;
  /** The number of entries of the key if the key is a lease; 1 for any other key. */
  entries: number;
  atMs: number;
}

/** The entries that remain in the bucket for a group's partitions. */
export interface PartitionTraces {
  /**
   * All traces, the number of partitions in the group's layout, and the current time on the server's clock. The result is undefined
   * for a group that was never resized. Rejects if the traces cannot be read.
   */
  read(): Promise<{ traces: PartitionTrace[]; partitions: number; nowMs: number } | undefined>;
  /**
   * Deletes the entries of a trace's key up to and including the trace; for a lease, only the entries before the trace. Rejects on
   * failure.
   */
  purge(trace: PartitionTrace): Promise<void>;
}
