import { createInterface } from 'node:readline/promises';
import type { GroupAdmin } from '../core/admin/group-admin.js';
import { StreamAdmin } from '../core/admin/stream-admin.js';
import type { Config } from '../core/config/config.js';
import { NatspocError } from '../core/lib/errors.js';
import { escapeControl, wrap } from '../core/lib/text.js';
import type { StreamUse } from '../core/nats/client/concern.js';
import type { NatsConnection } from '../core/nats/client/connection.js';
import { explain } from '../core/nats/client/outcome.js';
import { BaseCommand } from './base-command.js';
import { requireGroup } from './groups/missing-group.js';

/** The objects with which a command uses an existing stream. */
export interface StreamSession {
  config: Config;
  stream: StreamAdmin;
  /** The group that the flags name. */
  group: GroupAdmin;
}

/** A question to the user before something is destroyed. */
export interface Confirmation {
  /** The consequences, one per line. */
  consequences: readonly string[];
  /** The name that the user must type to confirm. */
  name: string;
  /** True if the user has already confirmed with the flag. */
  force: boolean;
  /** The flag that confirms without a question. Default: --force. */
  flag?: string;
}

/** A command on an existing stream: connects, opens the stream, and always closes the connection. */
export abstract class StreamCommand extends BaseCommand {
  /**
   * Runs `use` with the stream that the flags name. `role` is part of the connection's name on the server.
   *
   * @param uses a stream that loses messages in one of these uses is refused. Default: reading only.
   * @param whole true if the command concerns all messages, not only those of a group.
   */
  protected async withStream<T>(
    flags: Readonly<Record<string, unknown>>,
    role: string,
    use: (session: StreamSession) => Promise<T>,
    uses: readonly StreamUse[] = [],
    whole = false,
  ): Promise<T> {
    return this.withConnection(flags, role, async (config, connection) => {
      const stream = await StreamAdmin.open(connection, config, uses, undefined, whole);
      return await use({ config, stream, group: stream.group() });
    });
  }

  /** Like {@link withStream}, but throws if the group does not exist. */
  protected async withGroup<T>(
    flags: Readonly<Record<string, unknown>>,
    role: string,
    use: (session: StreamSession) => Promise<T>,
  ): Promise<T> {
    return this.withStream(flags, role, async (session) => {
      await requireGroup(session.stream, session.config);
      return await use(session);
    });
  }

  /** Runs `use` with a connection. The stream need not exist. */
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
      throw explain(error, `read the state of stream ${config.stream}`);
    } finally {
      await connection.close();
    }
  }

  /**
   * On a terminal, shows the consequences and asks for the name. Without a terminal the flag is required.
   *
   * @throws NatspocError `not-confirmed`.
   */
  protected async confirm({ consequences, name, force, flag = '--force' }: Confirmation): Promise<void> {
    if (force) return;
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      throw new NatspocError(
        'not-confirmed',
        `${consequences.join(' ')} Nothing was done: add ${flag} to confirm.`,
      );
    }
    const width = process.stderr.columns || Number.POSITIVE_INFINITY;
    for (const line of consequences.flatMap((each) => wrap(each, width))) this.note(line);
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    try {
      // Ctrl-C and Ctrl-D mean no.
      const typed = await prompt.question(`Type ${escapeControl(name)} to continue: `).catch(() => {
        process.stderr.write('\n');
        return '';
      });
      if (typed.trim() !== name) throw new NatspocError('not-confirmed', 'Not confirmed: nothing was done.');
    } finally {
      prompt.close();
    }
  }
}
