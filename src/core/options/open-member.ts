import { once } from 'node:events';
import type { SeekOutcome } from '../admin/seek.js';
import type { SeekTarget } from '../admin/seek-target.js';
import { StreamAdmin } from '../admin/stream-admin.js';
import { batchLimits } from '../config/batch.js';
import type { Config } from '../config/config.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { NatspocError } from '../lib/errors.js';
import { VERSION } from '../lib/version.js';
import { GroupMember } from '../member/group-member.js';
import { logProblems } from '../member/member-log.js';
import type { JoiningAt } from '../member/member-options.js';
import type { BatchHandler, Handler, InBatches } from '../member/partition/handler.js';
import { MessageLoops } from '../member/partition/message-loops.js';
import type { StateHooks } from '../member/partition/partition-state.js';
import type { NatsConnection } from '../nats/client/connection.js';
import { connectionOf } from './connected.js';
import { decoded } from './decoded.js';
import type { Decoding, Handling, Stateful } from './handling.js';
import type { GroupMember as Joined } from './joined.js';
import { loggerOf } from './logger.js';
import type { JoinGroupOptions, MemberOptions } from './member.js';
import { keyOf } from './table.js';

type Seek = Joined['seek'];

/** The options of a member that need no server. A model's member has them too. */
export type MemberProgram<Value, State> = Decoding<Value> &
  Stateful<State> &
  Handling<Value, State> &
  MemberOptions<Value, State>;

/** How a member is opened. */
export interface OpeningAt {
  at: JoiningAt;
  clock: Clock;
  seek: Seek;
  /** Called last, after the member has left or failed to join. */
  close: () => Promise<void>;
}

/** Opens a member over a connection, and waits until the member is in its group. */
export async function openMember<Value, State>(
  options: JoinGroupOptions<Value, State>,
  config: Config,
): Promise<Joined<Value, State>> {
  const { connection, close } = await connectionOf(options, config, 'member');
  return openMemberAt(options, config, {
    at: { connection },
    clock: systemClock,
    seek: (partitions, target) => seek(connection, config, partitions, target),
    close,
  });
}

/** Opens a member, and waits until the member is in its group. */
export async function openMemberAt<Value, State>(
  options: MemberProgram<Value, State>,
  config: Config,
  { at, clock, seek, close }: OpeningAt,
): Promise<Joined<Value, State>> {
  const { signal, listen } = options;
  let joined: Promise<unknown> = Promise.resolve();
  let made: Joined<Value, State> | undefined;
  let ended = (): void => {};
  const ending = new Promise<void>((resolve) => {
    ended = resolve;
  });
  try {
    signal?.throwIfAborted();
    const logger = loggerOf(options.logger);
    const loops = options.handler || options.batchHandler ? undefined : new MessageLoops();
    const member = await GroupMember.open(
      {
        ...at,
        config,
        version: VERSION,
        handler: handlerOf(options, loops),
        limit: loops,
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
          loops?.end();
          return close();
        },
      },
      (opened) => {
        joined = once(opened, 'joined');
        logProblems(opened, logger, config.group, config.drainTimeoutMs);
        made = joinedMember<Value, State>(opened, loops, seek);
        listen?.(made);
      },
      clock,
    );
    const isIn = await Promise.race([joined.then(() => true), ending.then(() => false)]);
    // After a failed join, `closed` is awaited here. Later errors are for the program, which awaits `closed` itself.
    if (!isIn || !made) await member.closed;
    if (made) return made;
    throw new NatspocError('failed', 'The member left before it had joined.');
  } catch (error) {
    await close();
    throw error;
  }
}

/** The program's handler, wrapped so that messages have values. Their type cannot be checked at run time. */
function handlerOf<Value, State>(
  options: MemberProgram<Value, State>,
  loops: MessageLoops | undefined,
): Handler | InBatches {
  const { handler, batchHandler, batch } = options;
  if (loops) return decoded(loops.handler, options);
  if (handler) return decoded(handler as unknown as Handler, options);
  return decoded({ handler: batchHandler as unknown as BatchHandler, limits: batchLimits(batch) }, options);
}

/** The program's functions for the start and end of a partition. */
function hooksOf<State>({ acquire, release }: Stateful<State>): StateHooks | undefined {
  if (!acquire && !release) return undefined;
  return {
    acquire,
    release: release && ((partition, state, context) => release(partition, state as State, context)),
  };
}

/** A member as programs get it. The types of its messages and states cannot be checked at run time. */
function joinedMember<Value, State>(
  member: GroupMember,
  loops: MessageLoops | undefined,
  seek: Seek,
): Joined<Value, State> {
  const messages = () => {
    if (loops) return loops.messages(() => member.leave());
    throw new NatspocError('usage', 'messages() needs a member without handler and batchHandler.');
  };
  return Object.assign(member, { seek, messages }) as unknown as Joined<Value, State>;
}

async function seek(
  connection: NatsConnection,
  config: Config,
  partitions: number | readonly number[],
  target: SeekTarget,
): Promise<SeekOutcome[]> {
  const stream = await StreamAdmin.open(connection, config);
  return stream.group().seek([partitions].flat(), target);
}
