import { createInterface } from 'node:readline/promises';
import type { GroupFollower } from '../core/admin/follower.js';
import { withFollower } from '../core/admin/with-follower.js';
import type { Config } from '../core/config/config.js';
import { NatspocError } from '../core/lib/errors.js';
import { escapeControl, wrap } from '../core/lib/text.js';
import type { StreamUse } from '../core/nats/client/concern.js';
import type { NatsConnection } from '../core/nats/client/connection.js';
import { explain } from '../core/nats/client/outcome.js';
import { NatsControlClient } from '../core/nats/service/control-client.js';
import { NatsGroupObserver } from '../core/nats/stream/group-observer.js';
import { openTopology, type Topology } from '../core/nats/stream/topology.js';
import type { ControlClient } from '../core/protocol/member-orders.js';
import { BaseCommand } from './base-command.js';

/** What a command that looks at an existing stream works with. */
export interface StreamSession {
  config: Config;
  topology: Topology;
  /** Looks at the group of these flags. */
  observer: NatsGroupObserver;
  /** Looks at another group of the same stream. */
  observe(group: string): NatsGroupObserver;
  /** Asks members of the group. */
  control: ControlClient;
}

/** What somebody has to type before something is destroyed. */
export interface Confirmation {
  /** What will happen, one line each. */
  consequences: readonly string[];
  /** The name to type. */
  name: string;
  /** The flag that stands for it. */
  force: boolean;
}

/** A command on a stream that exists: connects, opens, and closes again whatever happens. */
export abstract class StreamCommand extends BaseCommand {
  /**
   * Runs `use` with the stream of these flags; `role` names the connection on the server. Nothing is created.
   *
   * @param uses what it is done for: a stream that loses messages in that use is refused. Default: it is looked at.
   */
  protected async withStream<T>(
    flags: Readonly<Record<string, unknown>>,
    role: string,
    use: (session: StreamSession) => Promise<T>,
    uses: readonly StreamUse[] = [],
  ): Promise<T> {
    return this.withConnection(flags, role, async (config, connection) => {
      const topology = await openTopology(connection, config, { create: false, uses });
      const { bucket, group, stream, timeoutMs } = config;
      const observe = (of: string) => new NatsGroupObserver(topology, { bucket, group: of, timeoutMs });
      return await use({
        config,
        topology,
        observer: observe(group),
        observe,
        control: new NatsControlClient(connection, stream, group),
      });
    });
  }

  /** Runs `use` with the connection of these flags, whether the stream is there or not. */
  protected async withConnection<T>(
    flags: Readonly<Record<string, unknown>>,
    role: string,
    use: (config: Config, connection: NatsConnection) => Promise<T>,
  ): Promise<T> {
    const config = this.loadSettings(flags);
    const connection = await this.connect(config, role);
    try {
      return await use(config, connection);
    } catch (error) {
      throw explain(error, `look at stream ${config.stream}`);
    } finally {
      await connection.close();
    }
  }

  /** Runs `use` with a follower that knows the group; it is stopped afterwards. */
  protected async withFollower<T>(
    { observer, config }: StreamSession,
    use: (follower: GroupFollower) => Promise<T>,
  ): Promise<T> {
    return withFollower(observer, config, use);
  }

  /**
   * Says what will be destroyed and waits for its name, on a terminal; elsewhere only the flag will do.
   *
   * @throws NatspocError `not-confirmed`.
   */
  protected async confirm({ consequences, name, force }: Confirmation): Promise<void> {
    if (force) return;
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      throw new NatspocError(
        'not-confirmed',
        `${consequences.join(' ')} Nothing was done: add --force to confirm.`,
      );
    }
    const width = process.stderr.columns || Number.POSITIVE_INFINITY;
    for (const line of consequences.flatMap((each) => wrap(each, width))) this.note(line);
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    try {
      // Ctrl-C and Ctrl-D are an answer, too.
      const typed = await prompt.question(`Type ${escapeControl(name)} to go on: `).catch(() => {
        process.stderr.write('\n');
        return '';
      });
      if (typed.trim() !== name) throw new NatspocError('not-confirmed', 'Not confirmed: nothing was done.');
    } finally {
      prompt.close();
    }
  }
}
