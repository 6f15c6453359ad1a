import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Config, loadConfig } from '../../src/core/config/config.js';
import { SETTINGS, type SettingName } from '../../src/core/config/settings.js';
import { connectNats, type NatsConnection } from '../../src/core/nats/client/connection.js';
import { openGroupTopology } from '../../src/core/nats/stream/group-topology.js';
import { openKeyedGroup } from '../../src/core/nats/stream/keyed-group.js';
import { openTopology, type Topology } from '../../src/core/nats/stream/topology.js';
import {
  type HandledMessage,
  judge,
  type PublishedMessage,
  type Verdict,
} from '../../src/local/demo/judge.js';
import { Ownership, type OwnershipChange } from '../../src/local/demo/ownership.js';
import { parseHandled } from '../../src/local/demo/processes.js';
import { type Cli, startCli } from './cli.js';
import { until } from './until.js';

let runs = 0;

/** A group of real `natspoc consume` processes and a real publisher, on one server. Their output is kept, and judged at the end. */
export class GroupRun {
  readonly config: Config;
  readonly handled: HandledMessage[] = [];
  readonly changes: OwnershipChange[] = [];
  readonly members = new Map<string, Cli>();
  readonly topology: Topology;
  #ownership: Ownership;
  readonly connection: NatsConnection;
  readonly #url: string;
  readonly #folder: string;
  /** The flags that name the stream, for commands that a test itself starts. */
  readonly args: readonly string[];
  #publisher: Cli | undefined;

  private constructor(
    config: Config,
    connection: NatsConnection,
    topology: Topology,
    url: string,
    folder: string,
    args: string[],
  ) {
    this.args = args;
    this.config = config;
    this.topology = topology;
    this.connection = connection;
    this.#url = url;
    this.#folder = folder;
    this.#ownership = this.#watchOwnership();
  }

  /**
   * `folder` holds the publisher's record of confirmed messages. The settings `given` apply to all processes. Several runs can share a
   * server: each has its own stream and prefix, unless `given` names them.
   */
  static async open(
    url: string,
    folder: string,
    given: Partial<Record<SettingName, string>> = {},
  ): Promise<GroupRun> {
    const id = `T${++runs}`;
    const isKeyed = given.key !== undefined;
    const flags = { stream: id, ...(!isKeyed && { prefix: `${id}.events` }), ...given };
    const args = Object.entries(flags).map(
      ([name, value]) => `--${SETTINGS[name as SettingName].flag}=${value}`,
    );
    const config = loadConfig({ flags: { server: url, ...flags }, env: {} });
    const connection = await connectNats(config, 'test');
    const opening = isKeyed
      ? openKeyed(connection, config)
      : openTopology(connection, config, { create: true });
    const topology = await opening.catch(async (error: unknown) => {
      await connection.close();
      throw error;
    });
    return new GroupRun(config, connection, topology, url, folder, args);
  }

  get ownership(): Ownership {
    return this.#ownership;
  }

  /** Restarts the watch. Entries may have vanished without a deletion marker. */
  lookAgain(): void {
    this.#ownership.stop();
    this.#ownership = this.#watchOwnership();
  }

  #watchOwnership(): Ownership {
    return new Ownership(this.topology.bucket, this.config.group, (change) => this.changes.push(change));
  }

  get partitions(): number {
    return this.topology.layout.partitions;
  }

  /** Starts a member. It connects through `url`, for example a proxy. */
  consume(name: string, args: readonly string[] = [], url = this.#url): Cli {
    const cli = startCli([
      'consume',
      '--server',
      url,
      '--name',
      name,
      '--output',
      'ndjson',
      ...this.args,
      ...args,
    ]);
    this.members.set(name, cli);
    let index = 0;
    cli.child.stdout?.setEncoding('utf8');
    let rest = '';
    cli.child.stdout?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const message = parseHandled(line, name, index++, performance.now());
        if (message) this.handled.push(message);
      }
    });
    return cli;
  }

  /** From now on, this member need not share the partitions. */
  forget(name: string): Cli {
    const cli = this.members.get(name);
    if (!cli) throw new Error(`there is no ${name}`);
    this.members.delete(name);
    return cli;
  }

  /** Resolves when all members share all partitions evenly. */
  async atRest(timeoutMs = 20_000): Promise<void> {
    const names = [...this.members.keys()];
    if (await this.ownership.balanced(names, this.partitions, timeoutMs)) return;
    const owners = [...this.ownership.owners].map(([p, owner]) => `p${p}=${owner.name}`).join(' ');
    throw new Error(
      `the group is not at rest: members ${this.ownership.members}, wanted ${names}; ${owners}\n${this.#lastWords()}`,
    );
  }

  #lastWords(): string {
    const all: [string, Cli | undefined][] = [...this.members, ['publisher', this.#publisher]];
    return all.map(([name, cli]) => `${name}: ${cli?.stderr.slice(-5).join(' | ')}`).join('\n');
  }

  publish(rate: number): void {
    if (this.config.key !== undefined) {
      this.#publisher = startPlainPublisher({
        server: this.#url,
        prefix: this.config.stream,
        partitions: this.partitions,
        rate,
        // One message of each key is in flight at a time.
        keys: Math.max(100, rate / 5),
        confirmed: this.#confirmedFile,
      });
      return;
    }
    const args = [
      '--rate',
      String(rate),
      '--keys',
      '100',
      '--confirmed',
      this.#confirmedFile,
      '--quiet',
      '--dedupe',
    ];
    this.#publisher = startCli(['publish', 'event {{Count}}', ...args, ...this.args, '--server', this.#url]);
  }

  /** Stops the publisher. Resolves when all its messages are confirmed. */
  async stopPublishing(): Promise<void> {
    this.#publisher?.signal('SIGINT');
    const exit = await this.#publisher?.exited;
    if (exit && exit.code !== 0) throw new Error(`the publisher failed: ${exit.stderr}`);
  }

  async finish(timeoutMs = 20_000): Promise<Verdict> {
    await this.stopPublishing();
    const published = this.published();
    await until('all messages are handled', () => judge(published, this.handled).lost === 0, timeoutMs).catch(
      () => {
        // The verdict names the missing messages.
      },
    );
    return judge(published, this.handled);
  }

  published(): PublishedMessage[] {
    return readFileSync(this.#confirmedFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as PublishedMessage);
  }

  /** Waits until this many messages have been handled in total. */
  async handledCount(count: number, timeoutMs = 20_000): Promise<void> {
    const isReached = (): boolean => this.handled.length >= count;
    await until(`${count} messages are handled`, isReached, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; there are ${this.handled.length}\n${this.#lastWords()}`);
    });
  }

  async close(): Promise<void> {
    this.ownership.stop();
    await this.connection.close();
  }

  get #confirmedFile(): string {
    return join(this.#folder, 'confirmed.ndjson');
  }
}

/** As another program would, creates a stream with the subjects `<stream>.<customer>.<kind>`. Then creates a group over it. */
async function openKeyed(connection: NatsConnection, config: Config): Promise<Topology> {
  const manager = await connection.jetstreamManager();
  const { stream: name, replicas: num_replicas } = config;
  await manager.streams.add({ name, subjects: [`${name}.*.*`], num_replicas });
  await (await openKeyedGroup(connection, config, { create: true, uses: ['handle'] }))?.begin?.();
  return openGroupTopology(connection, config, ['handle']);
}

/** Starts the publisher without natspoc; see `plain-publisher.ts`. */
export function startPlainPublisher(options: Record<string, string | number>): Cli {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const entry = join(import.meta.dirname, 'plain-publisher.ts');
  // `import.meta.resolve` is missing if mocha loads this file as CommonJS.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return startCli(args, { entry, nodeArgs: ['--import', loader] });
}
