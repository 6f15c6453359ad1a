import type { Backoff, OnExhausted } from '../config/retry.js';
import type { StartFrom, StartFromText } from '../config/start-from.js';
import type { HealthOptions } from '../health/server.js';
import type { Logger } from '../member/partition/logger.js';
import type { Judge } from '../member/partition/verdict.js';
import type { StreamMessage } from '../protocol/message.js';
import type { Connecting, StreamOptions } from './connecting.js';
import type { Decoding, Handling, Stateful } from './handling.js';
import type { GroupMember } from './joined.js';

/** Options of a member. */
export type JoinGroupOptions<Value = undefined, State = undefined> = Connecting &
  StreamOptions &
  Decoding<Value> &
  Stateful<State> &
  Handling<Value, State> &
  MemberOptions<Value, State>;

/** Options of a member, except those of its stream and its handler. */
export interface MemberOptions<Value = undefined, State = undefined> {
  /**
   * The group. Groups are independent of each other.
   *
   * @default 'default'
   */
  group?: string | undefined;
  /**
   * Lets the group read any existing stream, and handle the messages of each key in order. The key is `'subject:2'`,
   * `'subject:2,3'`, `'header:NAME'`, `'json:PATH'`, or an object `{ name, of }` with a function `of` that returns
   * the key, or null for no key. Of such an object, members compare only the name. If `of` throws, the partitions stop
   * before the message. For a message without a key, its subject is the key. With `key`, `partitions` is the number of
   * partitions of this group. The first member decides `key`, `filter` and `partitions`. Later members may leave them out.
   *
   * @default none: the partitions of the stream's own layout
   */
  key?: string | { name: string; of: (message: StreamMessage) => string | null } | undefined;
  /**
   * With `key`: a subject, with or without wildcards. The group handles only messages with a matching subject.
   *
   * @default all
   */
  filter?: string | undefined;
  /**
   * Name of this member, for people. It need not be unique.
   *
   * @default host and process id
   */
  name?: string | undefined;
  /**
   * Number of messages of one partition that are handled in parallel, each with a different key.
   *
   * @default 1
   */
  concurrency?: number | undefined;
  /**
   * Maximum number of concurrent handler calls in all partitions of this member, 1 to 100,000. Partitions take turns.
   *
   * @default no limit
   */
  maxConcurrency?: number | undefined;
  /**
   * Time limit of an attempt, in milliseconds. A longer attempt fails.
   *
   * @default no limit
   */
  handlerTimeoutMs?: number | undefined;
  /**
   * How many times a message is tried.
   *
   * @default 3
   */
  maxAttempts?: number | undefined;
  /**
   * How many members in a row may die on the same message, or hang on it for longer than the ttl; 2 to 1,000. Then the
   * message fails without another attempt, and `judge` or `onFailure` decides.
   *
   * @default 3
   */
  maxCrashes?: number | undefined;
  /**
   * Waits between attempts, in milliseconds: `baseMs`, doubled each time up to `maxMs`. Half of each wait is random.
   *
   * @default { baseMs: 100, maxMs: 30_000 }
   */
  backoff?: Backoff | undefined;
  /**
   * What happens after the last failed attempt. `halt`: the partition stops until an operator retries, skips or releases it.
   * `dead-letter`: the message is stored as a dead letter. `skip`: the message is skipped.
   *
   * @default 'halt'
   */
  onFailure?: OnExhausted | undefined;
  /**
   * What to do with messages without a key: handle them in the partition of their subject, or store them as dead
   * letters. With `'json:PATH'`, a message without a JSON payload has no key.
   *
   * @default 'subject'
   */
  withoutKey?: 'subject' | 'dead-letter' | undefined;
  /**
   * Decides what follows a failed attempt: returns `'retry'`, `{ retryInMs }` or a value of `onFailure`. If it returns
   * nothing, `maxAttempts` and `onFailure` decide. It must not return a promise. See {@link Judge}.
   *
   * @default none
   */
  judge?: Judge | undefined;
  /**
   * Where the group starts. The first member of the group decides this. `'first'`, `'new'` (messages published after the
   * first member joined), `'seq:9'`, `'time:2026-01-31T08:00:00Z'`, or the same value as an object.
   *
   * @default 'first'
   */
  from?: StartFrom | StartFromText | undefined;
  /**
   * How often positions are committed while messages are handled, in milliseconds. A crash repeats at most the messages of one
   * interval.
   *
   * @default 200
   */
  commitIntervalMs?: number | undefined;
  /**
   * A position is also committed after this number of messages of its partition.
   *
   * @default 1_000
   */
  commitEvery?: number | undefined;
  /**
   * A member loses its leases if it cannot renew within this time, in milliseconds.
   *
   * @default 10_000
   */
  ttlMs?: number | undefined;
  /**
   * How often members probe each other, in milliseconds; 0: never.
   *
   * @default 400
   */
  probeIntervalMs?: number | undefined;
  /**
   * Before a partition moves, its running handlers get this time to finish, in milliseconds.
   *
   * @default 5_000
   */
  drainTimeoutMs?: number | undefined;
  /**
   * Maximum number of messages in memory, for all partitions.
   *
   * @default 65_536
   */
  bufferMessages?: number | undefined;
  /**
   * Maximum number of bytes in memory, for all partitions.
   *
   * @default 33_554_432 (32 MiB)
   */
  bufferBytes?: number | undefined;
  /**
   * How often the event `memory` is emitted, in milliseconds.
   *
   * @default 30_000
   */
  memoryIntervalMs?: number | undefined;
  /**
   * Receives the lines of `context.log`, and a line for each problem of the member. Examples of problems: a halted or
   * lost partition, a broken connection, dropped messages, an error in a listener, a message that failed for good.
   * `console` and pino work; `false`: no logging.
   *
   * @default standard error, one line for each problem
   */
  logger?: Logger | false | undefined;
  /**
   * Awaited before each commit. It must resolve only when the effects of all handled messages are safe, for example when
   * a buffer is written. If it rejects, the member leaves with that error, and the next owner handles uncommitted
   * messages again.
   *
   * @default none: a message is safe when its handler has resolved
   */
  barrier?: (() => Promise<void> | undefined) | undefined;
  /**
   * If a promise of the handler rejects unhandled, the attempt fails. This makes handling slower. It has no effect on
   * Bun, which does not reveal the origin of a rejection.
   *
   * @default false
   */
  guardRejections?: boolean | undefined;
  /**
   * Serves `/livez`, `/readyz` and `/metrics` over HTTP.
   *
   * @default not served
   */
  health?: HealthOptions | undefined;
  /**
   * When the signal aborts, the member leaves, or stops joining.
   *
   * @default none
   */
  signal?: AbortSignal | undefined;
  /**
   * Called with the member before its first event, to add listeners. The member is still joining, but already accepts
   * `leave` and `pause`.
   *
   * @default none
   */
  listen?: ((member: GroupMember<Value, State>) => void) | undefined;
}
