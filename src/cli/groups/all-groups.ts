import { checkSettings } from '../../core/admin/check.js';
import type { Finding } from '../../core/admin/finding.js';
import type { GroupAdmin } from '../../core/admin/group-admin.js';
import type { GroupStatus } from '../../core/admin/group-status.js';
import { SharedReads } from '../../core/admin/shared-reads.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import { readDeadLetters } from '../../core/admin/stream-status.js';
import type { Config } from '../../core/config/config.js';
import { configOf } from '../../core/config/config-of.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import type { DeadLetterFacts } from '../../core/ports/facts.js';

/** The number of groups that are read at the same time. */
const CONCURRENT_GROUPS = 4;

/** A stream is opened again after this time, in milliseconds, to notice changed settings. */
const OPEN_AGAIN_MS = 60_000;

/** The result of reading a group. */
export interface GroupFound {
  group: string;
  /** The key and the filter of a keyed group; null for other groups. */
  key: string | null;
  filter: string | null;
  status: GroupStatus;
  /** The findings of `leases check`, including those about settings. */
  findings: Finding[];
}

/** The outcome for one group. */
export type GroupReading = { group: string } & ({ found: GroupFound } | { error: NatspocError });

interface Opened {
  stream: StreamAdmin;
  group: GroupAdmin;
  /** See {@link SharedReads.layoutOf}. */
  layout: string;
  at: number;
}

/** Reads the groups of a stream repeatedly. Each reading sends requests for shared data only once. */
export class AllGroups {
  readonly #connection: NatsConnection;
  readonly #config: Config;
  readonly #shared = new SharedReads();
  readonly #opened = new Map<string, Opened>();

  constructor(connection: NatsConnection, config: Config) {
    this.#connection = connection;
    this.#config = config;
  }

  /**
   * Reads all wanted groups that exist. If one group cannot be read, its outcome is the error.
   *
   * @throws NatspocError if the stream or its bucket cannot be read.
   */
  async read(isWanted: (group: string) => boolean = () => true): Promise<GroupReading[]> {
    await this.#shared.begin(this.#connection, this.#config);
    const names = this.#shared.groups.filter(isWanted);
    for (const known of this.#opened.keys()) if (!names.includes(known)) this.#opened.delete(known);
    return mapConcurrently(names, CONCURRENT_GROUPS, (group) => this.#read(group));
  }

  /** The dead letters of the stream; null if reading them is not permitted, or if no group could be read. */
  async deadLetters(): Promise<DeadLetterFacts | null> {
    const [opened] = this.#opened.values();
    return opened ? readDeadLetters(opened.group.observer) : null;
  }

  async #read(group: string): Promise<GroupReading> {
    try {
      const { stream, group: admin } = await this.#open(group);
      const status = await admin.status();
      const findings = [...checkSettings(stream.concerns), ...(await admin.check(status))];
      await this.#shared.settle(group);
      const { key = null, filter = null } = stream.keyed ?? {};
      return { group, found: { group, key, filter, status, findings } };
    } catch (error) {
      this.#opened.delete(group);
      if (error instanceof NatspocError) return { group, error };
      throw error;
    }
  }

  async #open(group: string): Promise<Opened> {
    const layout = this.#shared.layoutOf(group);
    const now = performance.now();
    const known = this.#opened.get(group);
    if (known && known.layout === layout && now - known.at < OPEN_AGAIN_MS) return known;
    const stream = await StreamAdmin.open(this.#connection, configOf(this.#config, group));
    const opened = { stream, group: stream.group(group, this.#shared), layout, at: now };
    this.#opened.set(group, opened);
    return opened;
  }
}
