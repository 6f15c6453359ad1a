/** A stored message; times are the server's. */
export interface StoredMessage {
  sequence: number;
  subject: string;
  /** null: a subject that is not one of the layout's. */
  partition: number | null;
  key: string | null;
  /** When it was stored, in milliseconds since 1970. */
  atMs: number;
  /** In order; names may repeat. */
  headers: [name: string, value: string][];
  data: Uint8Array;
}

/** Reads and deletes messages of a stream. Methods reject with a NatspocError if the server refuses or does not answer. */
export interface StreamAdmin {
  /** The message of this sequence; undefined: it does not exist (any more). */
  get(sequence: number): Promise<StoredMessage | undefined>;
  /**
   * Deletes the messages of a partition (null: of all) up to and including a sequence (null: all of them).
   *
   * @returns how many were deleted.
   */
  purge(partition: number | null, upTo: number | null): Promise<number>;
  /** Deletes the stream, and the bucket with the layout and all groups' leases and positions. */
  deleteAll(): Promise<void>;
}
