import { BaseCommand } from './base-command.js';
import type { Config } from './core/config.js';
import { NatsGroupObserver } from './core/nats/observe.js';
import { openTopology, type Topology } from './core/nats/topology.js';

/** What a command that looks at an existing stream works with. */
export interface StreamSession {
  config: Config;
  topology: Topology;
  /** Looks at the group of these flags. */
  observer: NatsGroupObserver;
  /** Looks at another group of the same stream. */
  observe(group: string): NatsGroupObserver;
}

/** A command on a stream that exists: connects, opens, and closes again whatever happens. */
export abstract class StreamCommand extends BaseCommand {
  /** Runs `use` with the stream of these flags; `role` names the connection on the server. Nothing is created. */
  protected async withStream<T>(
    flags: Readonly<Record<string, unknown>>,
    role: string,
    use: (session: StreamSession) => Promise<T>,
  ): Promise<T> {
    const config = this.loadSettings(flags);
    const connection = await this.connect(config, role);
    try {
      const topology = await openTopology(connection, config, { create: false });
      const { bucket, timeoutMs } = config;
      const observe = (group: string) => new NatsGroupObserver(topology, { bucket, group, timeoutMs });
      return await use({ config, topology, observer: observe(config.group), observe });
    } finally {
      await connection.close();
    }
  }

  /** Writes lines of text to stdout. */
  protected writeLines(lines: readonly string[]): void {
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
}
