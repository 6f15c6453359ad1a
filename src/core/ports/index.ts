/**
 * Interfaces to the outside world. `nats/` implements them with a NATS connection, and the simulator with a model.
 * Promises of these interfaces never reject. Expected failures are returned as values.
 */

export type {
  Bucket,
  LayoutKeeper,
  ReadOutcome,
  Watch,
  WatchSink,
  WriteOptions,
  WriteOutcome,
} from './bucket.js';
export type { DeadLetters } from './dead-letters.js';
export type { Confirmation, EventStream, OpenOutcome, RemoveOutcome, StreamBounds } from './event-stream.js';
export type { Identities, MemberIdentity, ProbeOutcome, Prober } from './identities.js';
export type { Break, Link } from './link.js';
export type {
  Coverage,
  Reader,
  ReaderFault,
  ReaderOptions,
  ReaderSink,
  ReaderState,
  ReaderWindow,
  Rest,
  Trimmed,
} from './reader.js';
