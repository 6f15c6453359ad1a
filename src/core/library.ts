import { type Config, loadConfig } from './config.js';
import type { Handler, Logger } from './consume/handler.js';
import { noteLogger } from './consume/note-logger.js';
import { type Backoff, DEFAULT_FAILURE_POLICY, type FailurePolicy } from './consume/retry.js';
import { GroupMember } from './group-member.js';
import type { HealthOptions } from './health/server.js';
import { connectNats, type NatsConnection } from './nats/connection.js';
import { natsPublishPort } from './nats/pipeline.js';
import { openTopology } from './nats/topology.js';
import { Publisher, type PublisherOptions } from './publish/publisher.js';
import { SETTINGS, type SettingName } from './settings/index.js';
import type { StartFrom } from './settings/start-from.js';
import { VERSION } from './version.js';

/** Where NATS is: a connection of yours, which stays yours to close, or URLs for one of our own. */
export type Connecting =
  | { connection: NatsConnection; servers?: never }
  | { connection?: never; servers?: string | readonly string[] | undefined };

/** Which stream; what is missing is created. Times in milliseconds. */
export interface StreamOptions {
  /** Name of the stream. Default `EVENTS`. */
  stream?: string | undefined;
  /** Subject prefix; partition n is `PREFIX.p.n`. Taken from the stream where nobody says. */
  prefix?: string | undefined;
  /** Partitions, fixed when the stream is created. Taken from the stream where nobody says. */
  partitions?: number | undefined;
  /** Replicas of what is created. Default 1. */
  replicas?: number | undefined;
  /** The bucket of leases and positions. Default `<stream>_leases`. */
  bucket?: string | undefined;
  /**
   * How long to wait for an answer of the server. Default 5,000. Of {@link createPublisher} it is also how long a message
   * may take to be confirmed, retries included; that is 30,000 where nobody says.
   */
  timeoutMs?: number | undefined;
  /** Prefix of reply subjects, where permissions ask for another than `_INBOX`. */
  inboxPrefix?: string | undefined;
  /** JetStream domain. */
  jsDomain?: string | undefined;
}

/** How a member joins and handles. Times in milliseconds. */
export type JoinGroupOptions = Connecting &
  StreamOptions & {
    /** The group; groups are independent of each other. Default `default`. */
    group?: string | undefined;
    /** Called for each message; see {@link Handler}. */
    handler: Handler;
    /** Name of this member, for people. Default host and pid. */
    name?: string | undefined;
    /** Messages of one partition handled side by side, each of another key. Default 1. */
    concurrency?: number | undefined;
    /** An attempt that takes longer has failed. Default: it may take for ever. */
    handlerTimeoutMs?: number | undefined;
    /** How often a message is tried. Default 3. */
    maxAttempts?: number | undefined;
    /** Waits between attempts. Default 100 ms, doubled up to 30 s, with jitter. */
    backoff?: Backoff | undefined;
    /** After the last attempt. Default `halt`: its partition is given up until somebody looks. */
    onFailure?: FailurePolicy['afterwards'] | undefined;
    /** Where a group without positions starts. Default the first message. */
    from?: StartFrom | undefined;
    /** Positions are committed this often while busy: what a crash repeats at most. Default 200. */
    commitIntervalMs?: number | undefined;
    /** And after this many messages of a partition. Default 1,000. */
    commitEvery?: number | undefined;
    /** A member that cannot renew for this long loses its partitions. Default 10,000. */
    ttlMs?: number | undefined;
    /** How often members look after each other; 0: not at all. Default 400. */
    probeIntervalMs?: number | undefined;
    /** How long a handler may take to finish before its partition moves without it. Default 5,000. */
    drainTimeoutMs?: number | undefined;
    /** Messages in memory at most, over all partitions. Default 65,536. */
    bufferMessages?: number | undefined;
    /** Bytes in memory at most. Default 32 MiB. */
    bufferBytes?: number | undefined;
    /** How often the event `memory` comes. Default 30,000. */
    memoryIntervalMs?: number | undefined;
    /** Takes `context.log`. Default: lines on standard error. */
    logger?: Logger | undefined;
    /**
     * Awaited before each commit: resolves when the effects of what was handled so far are safe. Where it rejects the
     * member leaves with that error, and what was not committed is handled again by whoever comes next.
     */
    barrier?: (() => Promise<void> | undefined) | undefined;
    /**
     * Rejected promises that the handler has left behind are its failure. Costs some speed; without effect on Bun, which
     * does not say where a rejection comes from. Default false.
     */
    guardRejections?: boolean | undefined;
    /** Serve `/healthz`, `/readyz` and `/metrics`. */
    health?: HealthOptions | undefined;
    /** Leaves when it aborts. */
    signal?: AbortSignal | undefined;
    /** Adds listeners before anything can happen. */
    listen?: ((member: GroupMember) => void) | undefined;
  };

/**
 * Joins a group: from here on this process handles its share of the partitions. Creates stream, bucket and
 * layout where they are missing.
 *
 * @throws NatspocError where the group cannot be joined: `unreachable`, `config`, `layout-mismatch`,
 *   `not-permitted`, …
 */
export async function joinGroup(options: JoinGroupOptions): Promise<GroupMember> {
  const { signal, maxAttempts, backoff, onFailure } = options;
  signal?.throwIfAborted();
  const config = configOf(options);
  const { connection, close } = await connectionOf(options, config, 'member');
  try {
    const member = await GroupMember.open(
      {
        connection,
        config,
        version: VERSION,
        name: config.name,
        handler: options.handler,
        concurrency: options.concurrency,
        handlerTimeoutMs: options.handlerTimeoutMs,
        failure: {
          maxAttempts: maxAttempts ?? DEFAULT_FAILURE_POLICY.maxAttempts,
          backoff: backoff ?? DEFAULT_FAILURE_POLICY.backoff,
          afterwards: onFailure ?? DEFAULT_FAILURE_POLICY.afterwards,
        },
        logger: options.logger ?? noteLogger((line) => process.stderr.write(`${line}\n`)),
        barrier: options.barrier,
        guard: options.guardRejections ? 'rejections' : undefined,
        health: options.health,
        onEnd: close,
      },
      options.listen,
    );
    const leave = (): void => {
      // What it ends with is told by `closed`.
      member.leave().catch(() => {});
    };
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted) leave();
    // The signal may be the program's, and see many members come and go.
    const forget = (): void => signal?.removeEventListener('abort', leave);
    member.closed.then(forget, forget);
    return member;
  } catch (error) {
    await close();
    throw error;
  }
}

/** How a publisher of the library is made. */
export type CreatePublisherOptions = Connecting &
  StreamOptions &
  Pick<PublisherOptions, 'maxPendingMessages' | 'maxPendingBytes' | 'dedupe' | 'ordered' | 'observer'>;

/** A publisher that closes with `await using`, and closes the connection that was opened for it. */
export class GroupPublisher extends Publisher implements AsyncDisposable {
  readonly #onClose: () => Promise<void>;

  constructor(options: PublisherOptions, onClose: () => Promise<void>) {
    super(options);
    this.#onClose = onClose;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#onClose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a publisher to the partitions of a stream. Creates stream, bucket and layout where they are missing.
 *
 * @throws NatspocError as {@link joinGroup}.
 */
export async function createPublisher(options: CreatePublisherOptions): Promise<GroupPublisher> {
  const config = configOf(options);
  const { connection, close } = await connectionOf(options, config, 'publisher');
  try {
    const { layout, stream, duplicateWindowMs } = await openTopology(connection, config, {
      create: true,
      uses: ['publish'],
    });
    const { maxPendingMessages, maxPendingBytes, dedupe, ordered, observer } = options;
    return new GroupPublisher(
      {
        layout,
        openPort: natsPublishPort(connection, { stream, inboxPrefix: config.inboxPrefix }),
        duplicateWindowMs,
        timeoutMs: config.given.has('timeoutMs') ? config.timeoutMs : undefined,
        ...(maxPendingMessages !== undefined && { maxPendingMessages }),
        ...(maxPendingBytes !== undefined && { maxPendingBytes }),
        ...(dedupe !== undefined && { dedupe }),
        ...(ordered !== undefined && { ordered }),
        ...(observer && { observer }),
      },
      close,
    );
  } catch (error) {
    await close();
    throw error;
  }
}

async function connectionOf(
  { connection }: Connecting,
  config: Config,
  role: string,
): Promise<{ connection: NatsConnection; close: () => Promise<void> }> {
  if (connection) return { connection, close: async () => {} };
  const own = await connectNats(config, `natspoc ${role}`);
  return { connection: own, close: () => own.close() };
}

/** Options as texts, so that they go through the same checks as those of the command line. */
const TEXTS: { [K in SettingName]?: (value: never) => string } = {
  from: (from: StartFrom) =>
    from.kind === 'sequence'
      ? `seq:${from.sequence}`
      : from.kind === 'time'
        ? `time:${from.time.toISOString()}`
        : from.kind,
};

/** What is no option by itself: URLs say who we are, the rest of it and TLS are up to a connection of one's own. */
const IN_URL: readonly SettingName[] = ['user', 'password', 'token'];
const ELSEWHERE: readonly SettingName[] = [
  'creds',
  'nkey',
  'context',
  'tlsca',
  'tlscert',
  'tlskey',
  'tlsfirst',
];

/** What the settings are called here. */
function optionName(name: SettingName): string {
  if (name === 'server') return 'servers';
  if (IN_URL.includes(name)) return 'servers (nats://USER:PASSWORD@HOST)';
  return ELSEWHERE.includes(name) ? 'a connection of your own' : name;
}

/** The configuration of these options alone: the environment is the program's business. */
function configOf(options: CreatePublisherOptions | JoinGroupOptions): Config {
  const flags: Partial<Record<SettingName, string>> = {};
  const given = options as Partial<Record<SettingName, unknown>>;
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const value = given[name];
    if (value === undefined || name === 'server' || name === 'backoff') continue;
    const toText = TEXTS[name] as ((value: unknown) => string) | undefined;
    flags[name] = toText ? toText(value) : name.endsWith('Ms') ? `${String(value)}ms` : String(value);
  }
  if (options.servers !== undefined) flags.server = [options.servers].flat().join(',');
  return loadConfig({ flags, env: {}, optionName });
}
