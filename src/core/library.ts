import { once } from 'node:events';
import { StreamAdmin } from './admin/stream-admin.js';
import { batchLimits } from './config/batch.js';
import type { Config } from './config/config.js';
import { VERSION } from './lib/version.js';
import { GroupMember } from './member/group-member.js';
import { logProblems } from './member/member-log.js';
import { noteLogger } from './member/note-logger.js';
import type { BatchHandler, Handler, InBatches } from './member/partition/handler.js';
import { type Logger, SILENT } from './member/partition/logger.js';
import type { StateHooks } from './member/partition/partition-state.js';
import { connectNats, type NatsConnection } from './nats/client/connection.js';
import { natsPublishPort } from './nats/jetstream/pipeline.js';
import { openOwnSubjects } from './nats/stream/own-subjects.js';
import { openTopology } from './nats/stream/topology.js';
import { createPublisherConfig, joinGroupConfig, openStreamConfig } from './options/check.js';
import type { Connecting } from './options/connecting.js';
import { decoded } from './options/decoded.js';
import type { Stateful } from './options/handling.js';
import type { JoinGroupOptions } from './options/member.js';
import type { CreatePublisherOptions } from './options/publisher.js';
import type { OpenStreamOptions } from './options/stream.js';
import { keyOf } from './options/table.js';
import { Publisher, type PublisherOptions } from './publisher/publisher.js';

/**
 * Joins a group. Resolves when this process is a member and handles its share of the partitions. Creates a missing
 * stream, bucket and layout.
 *
 * @throws NatspocError if the group cannot be joined: `unreachable`, `config`, `layout-mismatch`,
 *   `not-permitted`, …; or the abort reason of `signal`.
 */
export async function joinGroup<Value = undefined, State = undefined>(
  options: JoinGroupOptions<Value, State>,
): Promise<GroupMember> {
  const config = joinGroupConfig(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const joining = openMember(options, config);
  if (!signal) return joining;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason);
      // The caller has no use for this member any more, nor for the error that ends it.
      joining.then((member) => member.leave()).catch(() => {});
    };
    signal.addEventListener('abort', giveUp, { once: true });
    joining.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** Opens a member, and waits until it is in its group. */
async function openMember<Value, State>(
  options: JoinGroupOptions<Value, State>,
  config: Config,
): Promise<GroupMember> {
  const { signal, listen } = options;
  const { connection, close } = await connectionOf(options, config, 'member');
  let joined: Promise<unknown> = Promise.resolve();
  let ended = (): void => {};
  const ending = new Promise<void>((resolve) => {
    ended = resolve;
  });
  try {
    signal?.throwIfAborted();
    const logger = loggerOf(options.logger);
    const member = await GroupMember.open(
      {
        connection,
        config,
        version: VERSION,
        handler: handlerOf(options),
        messageKey: keyOf(options.key),
        logger,
        barrier: options.barrier,
        judge: options.judge,
        hooks: hooksOf(options),
        guard: options.guardRejections ? 'rejections' : undefined,
        health: options.health,
        signal,
        onEnd: () => {
          ended();
          return close();
        },
      },
      (opened) => {
        joined = once(opened, 'joined');
        logProblems(opened, logger, config.group, config.drainTimeoutMs);
        listen?.(opened);
      },
    );
    const isIn = await Promise.race([joined.then(() => true), ending.then(() => false)]);
    // Read `closed` only here: an error that ends a member goes to the code that awaits it.
    if (!isIn) await member.closed;
    return member;
  } catch (error) {
    await close();
    throw error;
  }
}

/** The handler, whose messages get their values. What it expects of them cannot be checked at run time. */
function handlerOf<Value, State>(options: JoinGroupOptions<Value, State>): Handler | InBatches {
  const { handler, batchHandler, batch } = options;
  if (handler) return decoded(handler as unknown as Handler, options);
  return decoded({ handler: batchHandler as unknown as BatchHandler, limits: batchLimits(batch) }, options);
}

/** What the program does when partitions begin and end here. `release` gets what `acquire` returned, which only it knows. */
function hooksOf<State>({ acquire, release }: Stateful<State>): StateHooks | undefined {
  if (!acquire && !release) return undefined;
  return {
    acquire,
    release: release && ((partition, state, context) => release(partition, state as State, context)),
  };
}

/** The program's logger; by default one line each on standard error. The environment is not used. */
function loggerOf(logger: Logger | false | undefined): Logger {
  if (logger === false) return SILENT;
  return logger ?? noteLogger((line) => process.stderr.write(`natspoc: ${line}\n`), { debug: false });
}

/** A publisher for `await using`, which also closes the connection that was opened for it. */
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
 * Opens a publisher to the partitions of a stream. Creates a missing stream, bucket and layout.
 *
 * @throws NatspocError as {@link joinGroup}.
 */
export async function createPublisher(options: CreatePublisherOptions): Promise<GroupPublisher> {
  const config = createPublisherConfig(options);
  const { connection, close } = await connectionOf(options, config, 'publisher');
  try {
    const target = options.ownSubjects
      ? await openOwnSubjects(connection, config)
      : await openTopology(connection, config, { create: true, uses: ['publish'] });
    const { stream, domain, duplicateWindowMs } = target;
    const { maxPendingBytes, dedupe, ordered, observer } = options;
    return new GroupPublisher(
      {
        ...('layout' in target ? { layout: target.layout } : { subjects: target.subjects }),
        openPort: natsPublishPort(connection, { stream, domain, inboxPrefix: config.inboxPrefix }),
        duplicateWindowMs,
        timeoutMs: config.given.has('timeoutMs') ? config.timeoutMs : undefined,
        maxPendingMessages: config.maxPendingMessages,
        maxPendingBytes,
        dedupe,
        ordered,
        observer,
      },
      close,
    );
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Opens an existing stream, to inspect it and to control its groups: `stream.group('billing').status()`.
 * Creates nothing.
 *
 * @throws NatspocError as {@link joinGroup}, and `stream-missing`.
 */
export async function openStream(options: OpenStreamOptions = {}): Promise<StreamAdmin> {
  const config = openStreamConfig(options);
  const { connection, close } = await connectionOf(options, config, 'admin');
  try {
    return await StreamAdmin.open(connection, config, [], close);
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
