/** The header with a message's id. Within its duplicate window, a stream stores each id only once. */
export const MESSAGE_ID_HEADER = 'Nats-Msg-Id';

/** One message of a partition, as the reader delivers it. `sequence` is the message's sequence in the stream. */
export interface StreamMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** Size of the payload in bytes. */
  readonly size: number;
  /** When the stream stored the message, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** The partitioning key: the header `Natspoc-Key`, or the key of a keyed group. Null if the message has none. */
  readonly key: string | null;
  /** All headers, decoded on demand. If a name occurs more than once, its last value counts. */
  headers(): Record<string, string>;
}

/** A message that could not be handled. */
export interface DeadLetter {
  readonly message: StreamMessage;
  readonly partition: number;
  readonly epoch: number;
  /** Number of attempts of the last owner. */
  readonly attempts: number;
  /** The error of the last attempt. */
  readonly error: string;
}
