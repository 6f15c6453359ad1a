import { type GroupTotals, totalsOf } from '../../core/admin/group-status.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { configOf } from './config-of.js';

/** Groups that are read at the same time. */
const CONCURRENT_GROUPS = 4;

/**
 * The state of a group. `running`: it has members that run; `idle`: it has none and needs none, because they did a bounded job;
 * `no-members`: it has none; `unreadable`: its layout cannot be read.
 */
export type GroupState = 'running' | 'idle' | 'no-members' | 'unreadable';

/** A group of a stream at one moment. */
export interface GroupOverview extends GroupTotals {
  group: string;
  state: GroupState;
  /** Of a keyed group: where the key is, and which subjects it handles; null: it has the partitions of the stream. */
  key: string | null;
  filter: string | null;
  /** When the group last committed a position, milliseconds since 1970; null: never. */
  lastCommitAtMs: number | null;
  /** Positions that are wrong: "leases check" gives the reasons. */
  wrongPositions: number;
  /** Why it is unreadable; null: it is not. */
  problem: string | null;
}

/** All groups of a stream, keyed or not, by name. */
export async function readGroups(connection: NatsConnection, config: Config): Promise<GroupOverview[]> {
  const names = await StreamAdmin.groupNames(connection, config);
  return mapConcurrently(names, CONCURRENT_GROUPS, (name) => readGroup(connection, config, name));
}

async function readGroup(connection: NatsConnection, config: Config, group: string): Promise<GroupOverview> {
  try {
    const stream = await StreamAdmin.open(connection, configOf(config, group));
    const admin = stream.group();
    const status = await admin.status();
    const totals = totalsOf(status);
    const ages = status.partitions.flatMap(({ positionAgeMs }) => positionAgeMs ?? []);
    return {
      group,
      state: totals.members > 0 ? 'running' : status.idle ? 'idle' : 'no-members',
      key: stream.keyed?.key ?? null,
      filter: stream.keyed?.filter ?? null,
      ...totals,
      lastCommitAtMs: ages.length > 0 ? Date.now() - Math.min(...ages) : null,
      wrongPositions: status.partitions.filter(({ positionFault }) => positionFault !== null).length,
      problem: null,
    };
  } catch (error) {
    // What is wrong with one group must not hide the others.
    if (!(error instanceof NatspocError) || !ABOUT_THE_GROUP.has(error.code)) throw error;
    return { ...UNREADABLE, group, problem: error.message };
  }
}

const ABOUT_THE_GROUP: ReadonlySet<string> = new Set(['layout-mismatch', 'config', 'failed']);

const UNREADABLE: Omit<GroupOverview, 'group' | 'problem'> = {
  state: 'unreadable',
  key: null,
  filter: null,
  partitions: 0,
  owned: 0,
  members: 0,
  unreachable: 0,
  lag: null,
  lagIsEstimate: false,
  withoutKey: 0,
  oldestMs: null,
  drainMs: null,
  lastCommitAtMs: null,
  wrongPositions: 0,
};
