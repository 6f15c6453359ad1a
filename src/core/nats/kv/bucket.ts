import { headers, type MsgHdrs, NatsError, type StoredMsg } from 'nats';
import { type Clock, systemClock } from '../../lib/clock.js';
import { NatspocError } from '../../lib/errors.js';
import type { Bucket, ReadOutcome, Watch, WatchSink, WriteOptions, WriteOutcome } from '../../ports/index.js';
import type { BucketEntry } from '../../protocol/entries.js';
import { mayPass } from '../client/gone.js';
import type { NatsHandles } from '../client/handles.js';
import { unknownOutcome, withoutAnswer } from '../client/no-answer.js';
import { API_ERRORS, apiErrorCode, isUnknownOutcome, toNatspocError } from '../client/outcome.js';
import { within } from '../client/placement.js';
import { PubAckReader } from '../jetstream/puback.js';
import { BucketWatch } from './watch.js';

/** The header of deletion markers. */
export const KV_OPERATION = 'KV-Operation';

/** The value in an entry's message; null if the message marks a deletion. */
export const valueIn = (headers: MsgHdrs | undefined, data: Uint8Array): Uint8Array | null =>
  ['DEL', 'PURGE'].includes(headers?.get(KV_OPERATION) ?? '') ? null : data;

/** The server's codes for an unexpected revision. */
const CONFLICTS: ReadonlySet<number> = new Set([
  API_ERRORS.wrongLastSequence,
  API_ERRORS.wrongLastSequenceInFlight,
]);

/** Codes of temporary errors: unavailable, or (since 2.11) too many requests. */
const PASSING: ReadonlySet<number> = new Set([503, 429]);

/** Codes for a full bucket, account or server. The error persists until an operator frees space or raises a limit. */
const PASSING_LIMITS: ReadonlySet<number> = new Set([
  API_ERRORS.accountResourcesExceeded,
  API_ERRORS.insufficientResources,
  API_ERRORS.storageExceeded,
]);

const describeRefusal = (bucket: string, description: string): string =>
  `bucket ${bucket} refuses writes (${description})`;

/** The stream of a KV bucket, and the subject of one of its keys (NATS ADR-8). */
export const bucketStream = (bucket: string): string => `KV_${bucket}`;
export const bucketSubject = (bucket: string, key: string): string => `$KV.${bucket}.${key}`;

/** The KV bucket on a real server. Reads go to the stream's leader, because a direct get may be stale. */
export class NatsBucket implements Bucket {
  readonly #handles: NatsHandles;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  /** The prefix of keys' subjects in a JetStream domain; empty without a domain. */
  readonly #domainPrefix: string;
  #hasWatched = false;

  /** `timeoutMs`: timeout of each request. It should be well below the ttl, so that a lost request can be repeated. */
  constructor(handles: NatsHandles, name: string, timeoutMs: number) {
    this.#handles = handles;
    this.#name = name;
    this.#timeoutMs = timeoutMs;
    this.#clock = handles.clock ?? systemClock;
    const { apiPrefix } = handles.manager.getOptions();
    this.#domainPrefix = apiPrefix === undefined || apiPrefix === '$JS.API' ? '' : `${apiPrefix}.`;
  }

  async read(key: string): Promise<ReadOutcome> {
    try {
      const query = { last_by_subj: bucketSubject(this.#name, key) };
      const reading = this.#handles.manager.streams.getMessage(bucketStream(this.#name), query);
      // The manager's own timeout is too long: until the answer arrives, the partition cannot commit.
      const stored = await within(reading, this.#timeoutMs, this.#clock);
      return { kind: 'found', entry: this.#entry(stored) };
    } catch (error) {
      if (apiErrorCode(error) === API_ERRORS.messageNotFound) return { kind: 'missing' };
      const doing = `read ${key} in bucket ${this.#name}`;
      return withoutAnswer(error, this.#handles, bucketStream(this.#name), doing);
    }
  }

  write(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    options?: WriteOptions,
  ): Promise<WriteOutcome> {
    const timeoutMs = Math.min(this.#timeoutMs, options?.timeoutMs ?? this.#timeoutMs);
    return this.#publish(key, value, expectedRevision, timeoutMs);
  }

  remove(key: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#publish(key, null, expectedRevision, this.#timeoutMs);
  }

  watch(prefix: string, sink: WatchSink): Watch {
    const noting: WatchSink = {
      snapshot: (entries) => {
        this.#hasWatched = true;
        sink.snapshot(entries);
      },
      changes: (entries) => sink.changes(entries),
      failed: (error) => sink.failed(error),
    };
    const watch = new BucketWatch(this.#handles, this.#name, prefix, noting, () => this.#hasWatched);
    watch.start();
    return watch;
  }

  /** A `value` of null writes a deletion marker. */
  async #publish(
    key: string,
    value: Uint8Array | null,
    expected: number,
    timeoutMs: number,
  ): Promise<WriteOutcome> {
    const doing = `write ${key} in bucket ${this.#name}`;
    const header = headers();
    header.set('Nats-Expected-Last-Subject-Sequence', String(expected));
    if (value === null) header.set(KV_OPERATION, 'DEL');
    try {
      const subject = this.#domainPrefix + bucketSubject(this.#name, key);
      // While disconnected, the client keeps the request. It sends the request after the reconnect, even if the timeout
      // has passed. So a write can be applied late (SPEC.md, A1 and A6).
      const reply = await this.#handles.connection.request(subject, value ?? new Uint8Array(0), {
        timeout: timeoutMs,
        headers: header,
      });
      const stream = bucketStream(this.#name);
      const ack = new PubAckReader(stream, this.#handles.domain).decode(reply.data);
      if (ack.kind === 'stored') return { kind: 'ok', revision: ack.sequence };
      // A bucket of the same name in another domain may have answered. Then the outcome in our bucket is unknown.
      if (ack.kind !== 'refused') return { kind: 'unknown' };
      const { reason, status } = ack;
      if (CONFLICTS.has(reason.code)) return { kind: 'conflict' };
      if (PASSING.has(status) || PASSING_LIMITS.has(reason.code))
        return { kind: 'unknown', refusal: describeRefusal(this.#name, reason.description) };
      return {
        kind: 'failed',
        error: new NatspocError('storage-failed', `Could not ${doing}: ${reason.description}.`),
      };
    } catch (error) {
      if (error instanceof NatsError && error.code === '503') return this.#explainNoResponders(doing);
      if (isUnknownOutcome(error)) return unknownOutcome(this.#handles, error, doing);
      return { kind: 'failed', error: toNatspocError(error, doing) };
    }
  }

  /** Finds out why there were no responders: the bucket is gone, no JetStream answers, or a leader is being elected. */
  async #explainNoResponders(doing: string): Promise<WriteOutcome> {
    const stream = bucketStream(this.#name);
    try {
      await within(this.#handles.manager.streams.info(stream), this.#timeoutMs, this.#clock);
    } catch (error) {
      const isMissing = apiErrorCode(error) === API_ERRORS.streamNotFound;
      if (isMissing && !(await mayPass(error, this.#handles, stream))) {
        const message = `Could not ${doing}: the bucket no longer exists.`;
        return { kind: 'failed', error: new NatspocError('stream-missing', message, { cause: error }) };
      }
      return unknownOutcome(this.#handles, error, doing);
    }
    return { kind: 'unknown' };
  }

  #entry(stored: StoredMsg): BucketEntry {
    const key = stored.subject.slice(bucketSubject(this.#name, '').length);
    return { key, revision: stored.seq, value: valueIn(stored.header, stored.data) };
  }
}
