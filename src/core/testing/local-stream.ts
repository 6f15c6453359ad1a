import type { Clock } from '../lib/clock.js';
import { NatspocError } from '../lib/errors.js';
import { promiseOf } from '../lib/promise-of.js';
import { type Handler, type InBatches, wrapHandler } from '../member/partition/handler.js';
import { HandlerCall } from '../member/partition/handler-call.js';
import { ABORT_GRACE_MS } from '../member/partition/handler-timeout.js';
import { untilReady } from '../member/until-ready.js';
import { createPublisherConfig, joinGroupConfig } from '../options/check.js';
import type { StreamOptions } from '../options/connecting.js';
import type { GroupPublisher } from '../options/group-publisher.js';
import type { GroupMember, PartitionStatus } from '../options/joined.js';
import { type MemberProgram, openMemberAt } from '../options/open-member.js';
import { type PublisherProgram, publisherOf } from '../options/open-publisher.js';
import type { CreatePublisherOptions } from '../options/publisher.js';
import type { DeadLetter, StreamMessage } from '../protocol/message.js';
import { LocalDriver } from './local-driver.js';
import { type LocalMember, startLocalMember } from './local-member.js';
import { LocalMessage } from './local-message.js';
import { LocalProcess } from './local-process.js';
import { localPublishPort } from './local-publishing.js';
import { type LocalServer, type LocalStreamOptions, localServer } from './local-server.js';
import { Timeline } from './timeline.js';

/** Virtual time within which a condition must hold, in milliseconds. */
const WITHIN_MS = 60_000;

/** Options of a member of a local stream: the options of `joinGroup` that need no server. */
export type LocalJoinOptions<Value = undefined, State = undefined> = MemberProgram<Value, State> &
  Pick<StreamOptions, 'partitions'> & { health?: never };

/** A member with any types of messages and states. */
type SomeMember = Pick<GroupMember, 'partitions'>;

interface Living {
  readonly process: LocalProcess;
  readonly group: string;
  readonly started: LocalMember;
}

/** Options of a publisher to a local stream: the options of `createPublisher` that need no server. */
export type LocalPublisherOptions = PublisherProgram &
  Pick<CreatePublisherOptions, 'maxPendingMessages' | 'ownSubjects'>;

/** A stream in memory, with its groups and a virtual time. */
export interface LocalStream {
  /** Virtual time since the creation of the stream, in milliseconds. */
  readonly now: number;
  /** All published messages, in order. */
  readonly messages: readonly StreamMessage[];
  /** The dead letters that members have stored, in order. */
  readonly deadLetters: readonly DeadLetter[];
  /**
   * Like `joinGroup`, but resolves when the member is `ready`. The member is real; only the server is a model. `seek` is not supported.
   *
   * @throws NatspocError like `joinGroup`.
   */
  joinGroup<Value = undefined, State = undefined>(
    options: LocalJoinOptions<Value, State>,
  ): Promise<GroupMember<Value, State>>;
  /** Like `createPublisher`. */
  createPublisher(options?: LocalPublisherOptions): Promise<GroupPublisher>;
  /**
   * Lets time pass until each group with members has handled and committed every message. Halted partitions are
   * ignored, and so are partitions that `member.pause` has paused without `forMs`.
   *
   * @throws NatspocError `failed` after a minute of virtual time, or if a handler runs for 10 s of real time.
   */
  idle(): Promise<void>;
  /**
   * Lets time pass until a condition holds. No time passes while handlers run.
   *
   * @param withinMs virtual time, in milliseconds. Default 60,000.
   * @throws NatspocError `failed` after `withinMs`, or if a handler runs for 10 s of real time.
   */
  until(condition: () => boolean, withinMs?: number): Promise<void>;
  /** Lets exactly this time pass, in milliseconds, even while handlers run. Use it to test timeouts and drains. */
  advance(byMs: number): Promise<void>;
  /**
   * Ends the process of a member, as `kill -9` does. The member commits nothing more, and the other members take over. No method of the
   * stream waits for its handlers.
   */
  crash(member: SomeMember): void;
}

/**
 * A stream in memory for tests: no server, no network, virtual time.
 *
 * @throws NatspocError `usage` for invalid options.
 */
export function localStream(options: LocalStreamOptions = {}): LocalStream {
  return new InMemory(localServer(options));
}

class InMemory implements LocalStream {
  readonly #timeline = new Timeline();
  readonly #driver = new LocalDriver(this.#timeline);
  readonly #server: LocalServer;
  readonly #members = new Map<SomeMember, Living>();

  constructor(server: LocalServer) {
    this.#server = server;
  }

  get now(): number {
    return this.#timeline.now;
  }

  get messages(): readonly StreamMessage[] {
    return this.#server.log.all.map((logged) => new LocalMessage(logged));
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#server.dead;
  }

  async joinGroup<Value = undefined, State = undefined>(
    options: LocalJoinOptions<Value, State>,
  ): Promise<GroupMember<Value, State>> {
    const config = joinGroupConfig(options);
    const process = new LocalProcess(this.#timeline);
    let started: LocalMember | undefined;
    const joining = openMemberAt<Value, State>(options, config, {
      at: {
        start: async (joined) => {
          const handler = this.#counted(joined.handler, process);
          started = await startLocalMember(this.#server, process, { ...joined, handler });
          return started.engine;
        },
      },
      clock: process.clock,
      seek: async () => {
        throw new NatspocError('usage', 'A local stream does not support seek.');
      },
      close: async () => {},
    });
    const member = await this.#driver.through('the join', joining, WITHIN_MS);
    if (started) this.#members.set(member, { process, group: config.group, started });
    const forget = (): void => void this.#members.delete(member);
    member.closed.then(forget, forget);
    // The program may have made the member leave already. Then only an error of the member makes the join fail.
    const ready = untilReady(member, member.closed, process.clock).catch(() => member.closed);
    await this.#driver.through('the join', ready, WITHIN_MS);
    return this.#driven(member, process.clock);
  }

  async createPublisher(options: LocalPublisherOptions = {}): Promise<GroupPublisher> {
    const { maxPendingMessages } = createPublisherConfig(options);
    const { layout, subjects, log, createdMs } = this.#server;
    if (!layout && !options.ownSubjects) {
      const message = `The stream listens to ${subjects.join(', ')}, and has no partitions of its own: publish with ownSubjects.`;
      throw new NatspocError('layout-mismatch', message);
    }
    const process = new LocalProcess(this.#timeline);
    const timestampMs = (): number => createdMs + this.now;
    return publisherOf(
      options,
      {
        ...(options.ownSubjects ? { subjects } : { layout }),
        openPort: localPublishPort({ log, process, timestampMs }),
        maxPendingMessages,
        clock: process.clock,
      },
      async () => {},
    );
  }

  idle(): Promise<void> {
    return this.#driver.until('idle()', () => this.#isIdle, WITHIN_MS);
  }

  until(condition: () => boolean, withinMs = WITHIN_MS): Promise<void> {
    return this.#driver.until('until()', condition, withinMs);
  }

  advance(byMs: number): Promise<void> {
    return this.#driver.advance(byMs);
  }

  crash(member: SomeMember): void {
    const process = this.#members.get(member)?.process;
    if (!process) throw new NatspocError('usage', 'This member is not in a group of this stream.');
    this.#members.delete(member);
    process.end();
    this.#driver.ended(process);
  }

  get #isIdle(): boolean {
    const members = [...this.#members];
    // This sum does not contain the partitions of crashed members.
    const owned = (of: string): number =>
      members.reduce((sum, [{ partitions }, { group }]) => sum + (group === of ? partitions.length : 0), 0);
    return members.every(
      ([member, { group, started }]) =>
        owned(group) === started.partitions && member.partitions.every((each) => isAtRest(each, started)),
    );
  }

  /** Lets time pass while the program awaits `leave` or `ready`. */
  #driven<Value, State>(member: GroupMember<Value, State>, clock: Clock): GroupMember<Value, State> {
    const through = <T>(what: string, promise: Promise<T>): Promise<T> =>
      this.#driver.through(what, promise, WITHIN_MS);
    const leave = member.leave.bind(member);
    return Object.defineProperties(member, {
      leave: { value: (...args: Parameters<typeof leave>) => through('leave()', leave(...args)) },
      ready: { get: () => through('ready', untilReady(member, member.closed, clock)) },
    });
  }

  /** Stops virtual time while a handler runs, until the member no longer waits for the handler. */
  #counted(handler: Handler | InBatches, process: LocalProcess): Handler | InBatches {
    const { clock } = process;
    return wrapHandler(handler, (call) => (...args) => {
      const ended = this.#driver.started(process);
      const context = args.at(-1);
      if (context instanceof HandlerCall)
        context.signal.addEventListener('abort', () => clock.at(clock.now() + ABORT_GRACE_MS, ended));
      try {
        const coming = promiseOf(call(...args));
        if (!coming) ended();
        return coming?.finally(ended);
      } catch (error) {
        ended();
        throw error;
      }
    });
  }
}

/** True if a partition has handled and committed every message, or if it will handle nothing until the program resumes it. */
function isAtRest(
  { partition, state, lag, position, committed }: PartitionStatus,
  { engine }: LocalMember,
): boolean {
  if (state === 'halted' || state === 'paused') return true;
  if (committed !== position) return false;
  const isPaused = engine.pauses.lasts(partition) && engine.status.inFlight === 0;
  return (state === 'running' && (lag === 0 || isPaused)) || (state === 'retrying' && isPaused);
}
