import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cli, type CliExit, startCli } from '../../support/cli.js';
import { TcpProxy } from '../../support/proxy.js';
import type { TestServer } from '../../support/server.js';
import { type Mode, writeMode } from '../recording/mode.js';
import type { Recording } from '../recording/recording.js';
import type { Servers } from './servers.js';

const HANDLER = fileURLToPath(new URL('../recording/handler.ts', import.meta.url));
const BATCH_HANDLER = fileURLToPath(new URL('../recording/batch-handler.ts', import.meta.url));

const BATCHES_EVERY = 3;
/** Every fourth member is restarted instead of leaving. Its partitions wait for its next process. */
const REJOINS_EVERY = 4;
/** The time that a restarted member's partitions wait. Even on a busy machine a process starts within a few seconds. */
const REJOIN_WITHIN = '20s';

/** A member process of a run. */
export interface Member {
  /** The name of the process in the records. */
  readonly name: string;
  /** The name in the group. The next process of a restarted member has the same one. */
  readonly memberName: string;
  readonly rejoins: boolean;
  readonly cli: Cli;
  /** The proxies between the member and the servers; empty if the member connects directly. */
  readonly proxies: readonly TcpProxy[];
  /** Only an idle member can get the next fault. */
  state: 'idle' | 'joining' | 'stopped' | 'cut' | 'leaving' | 'badly behaved';
  /** True if the process was asked to end. */
  asked: boolean;
}

/** The options of started members. */
export interface MembersOptions {
  servers: Servers;
  recording: Recording;
  args: readonly string[];
  nodeArgs: readonly string[];
}

/** Starts, signals and records the member processes of a run. */
export class Members {
  readonly #options: MembersOptions;
  readonly #members = new Map<string, Member>();
  readonly #exits: Promise<unknown>[] = [];
  #count = 0;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** Members that were not asked to end. */
  get present(): Member[] {
    return [...this.#members.values()].filter(({ asked }) => !asked);
  }

  get idle(): Member[] {
    return this.present.filter(({ state }) => state === 'idle');
  }

  /** Members that can handle messages now. */
  get able(): Member[] {
    return this.present.filter(({ state }) => state === 'idle' || state === 'badly behaved');
  }

  /** Starts a member. A `far` member connects through its own proxies, which can drop everything. */
  async start(far: boolean): Promise<Member> {
    const { servers } = this.#options;
    const proxies = far ? await Promise.all(servers.all.map(({ port }) => TcpProxy.start(port))) : [];
    return this.#spawn(far ? proxies.map(({ url }) => url).join(',') : servers.urls, proxies);
  }

  /** Starts the next process of a member that has left. */
  restart({ memberName }: Member): Member {
    return this.#spawn(this.#options.servers.urls, [], memberName);
  }

  startAt(server: TestServer): Member {
    return this.#spawn(server.url, []);
  }

  #spawn(urls: string, proxies: readonly TcpProxy[], again?: string): Member {
    const { recording, nodeArgs } = this.#options;
    const count = ++this.#count;
    const name = `m${count}`;
    const memberName = again ?? name;
    const rejoins = again !== undefined || count % REJOINS_EVERY === 0;
    const handler = count % BATCHES_EVERY === 0 ? BATCH_HANDLER : HANDLER;
    const args = ['--handler', handler, ...this.#options.args];
    if (rejoins) args.push('--rejoin-within', REJOIN_WITHIN);
    recording.processes.write(['spawn', recording.now(), name]);
    const cli = startCli(['consume', '--name', memberName, '--server', urls, ...args], {
      nodeArgs,
      env: {
        CHAOS_NAME: name,
        CHAOS_CALLS: recording.callsFile(name),
        CHAOS_MODE: join(recording.modes, name),
      },
    });
    const member: Member = { name, memberName, rejoins, cli, proxies, state: 'idle', asked: false };
    this.#members.set(name, member);
    this.#exits.push(cli.exited.then((exit) => this.#gone(member, exit)));
    return member;
  }

  async kill(member: Member): Promise<void> {
    const { recording } = this.#options;
    member.asked = true;
    recording.processes.write(['kill', recording.now(), member.name]);
    member.cli.signal('SIGKILL');
    await member.cli.exited;
  }

  /** Sends SIGTERM to a member, and resolves with its exit code when the process has ended. */
  async leave(member: Member): Promise<number | null> {
    const { recording } = this.#options;
    member.asked = true;
    member.state = 'leaving';
    recording.processes.write(['leave', recording.now(), member.name]);
    member.cli.signal('SIGTERM');
    return (await member.cli.exited).code;
  }

  behave({ name }: Member, mode: Mode): void {
    writeMode(join(this.#options.recording.modes, name), mode);
  }

  /** Resolves when all ends of processes so far are recorded. */
  async settled(): Promise<void> {
    await Promise.all(this.#exits);
  }

  async #gone(member: Member, { code, signal, stderr }: CliExit): Promise<void> {
    const { recording } = this.#options;
    this.#members.delete(member.name);
    const lastWords = stderr.split('\n').slice(-3).join(' | ');
    recording.processes.write(['exit', recording.now(), member.name, code, signal, lastWords]);
    recording.keepNotes(member.name, stderr);
    await Promise.all(member.proxies.map((proxy) => proxy.stop()));
  }
}
