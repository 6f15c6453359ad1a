/** A stored message. `atMs` is a time of the server's clock. */
export interface StoredMessage {
  sequence: number;
  subject: string;
  /** null if the subject does not belong to the layout. */
  partition: number | null;
  key: string | null;
  /** When the message was stored, in milliseconds since 1970. */
  atMs: number;
  /** The headers in their stored order. A name may occur several times. */
  headers: [name: string, value: string][];
  data: Uint8Array;
}

/** Reads and deletes messages of a stream. Methods reject with a NatspocError if the server refuses or does not answer. */
export interface StreamAdmin {
  /** The message of this sequence; undefined if it does not exist (any more). */
  get(sequence: number): Promise<StoredMessage | undefined>;
  /**
   * Deletes the messages of a partition (null: of all partitions) up to and including a sequence (null: to the end).
   *
   * @returns the number of deleted messages.
   */
  purge(partition: number | null, upTo: number | null): Promise<number>;
  /** Deletes the stream, and the bucket with the layout and all groups' leases and positions. */
  deleteAll(): Promise<void>;
}
