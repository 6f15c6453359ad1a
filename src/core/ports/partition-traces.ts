/** The newest entry of a key of a partition. Times of one clock, in milliseconds. */
export interface PartitionTrace {
  kind: 'lease' | 'position' | 'override' | 'cleared';
  partition: number;
  revision: number;
  /** It is a deletion marker. */
  ended: boolean;
  /** How many entries of the key there are. For leases only; otherwise 1. */
  entries: number;
  atMs: number;
}

/** The entries of a group's partitions that remain in the bucket. */
export interface PartitionTraces {
  /**
   * All of them, the number of partitions in the group's layout, and the current time on the server's clock; undefined for a group that was
   * never resized. Rejects if they cannot be read.
   */
  read(): Promise<{ traces: PartitionTrace[]; partitions: number; nowMs: number } | undefined>;
  /** Deletes the entries of a trace's key up to this one; of a lease, those before it. Rejects if that fails. */
  purge(trace: PartitionTrace): Promise<void>;
}
