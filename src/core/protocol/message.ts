/** The header of message ids: within its duplicate window a stream stores each id once. */
export const MESSAGE_ID_HEADER = 'Nats-Msg-Id';

/** One message of a partition, as the reader delivers it. `sequence` is the stream's. */
export interface StreamMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** Bytes of the payload. */
  readonly size: number;
  /** When the stream stored it, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** The partitioning key (header `Natspoc-Key`), or null. */
  readonly key: string | null;
  /** All headers, decoded on demand; the last value of each name. */
  headers(): Record<string, string>;
}

/** A message that could not be handled. */
export interface DeadLetter {
  readonly message: StreamMessage;
  readonly partition: number;
  readonly epoch: number;
  /** Number of attempts by the owner that gave the message up. */
  readonly attempts: number;
  /** The error of the last attempt. */
  readonly error: string;
}
