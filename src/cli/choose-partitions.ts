import type { GroupFollower } from '../core/admin/follower.js';
import { nameOf, type SeenSession } from '../core/admin/group-entries.js';
import { NatspocError } from '../core/lib/errors.js';
import { escapeControl } from '../core/lib/text.js';
import { Args, Flags } from './oclif.js';

/**
 * Parses partitions as people type them: `3`, `p3`, `0-3`, `p0-p3`. Returns each partition once, in ascending order.
 *
 * @throws NatspocError `usage` for other texts, and for a partition that does not exist.
 */
export function parsePartitions(texts: readonly string[], partitions: number): number[] {
  const chosen = new Set<number>();
  for (const text of texts.flatMap((each) => each.split(','))) {
    const match = /^p?(\d{1,6})(?:-p?(\d{1,6}))?$/.exec(text.trim());
    if (!match) {
      throw new NatspocError(
        'usage',
        `${JSON.stringify(text)} is not a partition such as 3, or a range such as 0-3.`,
      );
    }
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last >= partitions) {
      throw new NatspocError('usage', `There is no partition ${text.trim()}; use 0 to ${partitions - 1}.`);
    }
    for (let partition = first; partition <= last; partition++) chosen.add(partition);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** The argument of commands that take several partitions. */
export const partitionArgs = {
  partition: Args.string({ description: 'partitions: 3, 0-3', name: 'PARTITION...' }),
};
export const allFlag = Flags.boolean({ description: 'every partition' });

/** @throws NatspocError `usage` if --partition names a partition that does not exist. */
export function checkPartition(partition: number | undefined, partitions: number): void {
  if (partition === undefined || partition < partitions) return;
  const message = `--partition: there is no partition ${partition}; use 0 to ${partitions - 1}.`;
  throw new NatspocError('usage', message);
}

/** The user's choice of partitions: exactly one of these fields. */
export interface PartitionRequest {
  /** Numbers and ranges. */
  named: readonly string[];
  /** The name or session id of a member: all its partitions. */
  owner?: string | undefined;
  all?: boolean;
}

/**
 * The chosen partitions.
 *
 * @throws NatspocError `usage` unless exactly one choice was made, `failed` if the named member does not exist.
 */
export function choosePartitions(
  request: PartitionRequest,
  partitions: number,
  follower: GroupFollower | undefined,
): number[] {
  const { named, owner, all = false } = request;
  const said = [named.length > 0, owner !== undefined, all].filter(Boolean).length;
  if (said !== 1) {
    const owners = follower ? ', --owner NAME' : '';
    throw new NatspocError('usage', `Give exactly one of: partitions (3, 0-3)${owners}, --all.`);
  }
  if (named.length > 0) return parsePartitions(named, partitions);
  const every = Array.from({ length: partitions }, (_, partition) => partition);
  if (all || owner === undefined || !follower) return every;
  const { id } = findMember(follower, owner);
  return every.filter((partition) => follower.ownerOf(partition) === id);
}

/**
 * The member with this name or session id. A member that is leaving counts only if no other one matches: its successor may have its name.
 *
 * @throws NatspocError `failed` if no member or several members match.
 */
export function findMember(follower: GroupFollower, nameOrId: string): SeenSession {
  const all = follower.named(nameOrId);
  const staying = all.filter(({ record }) => record && !record.leaving);
  const [found, ...more] = staying.length > 0 ? staying : all;
  if (found && more.length === 0) return found;
  const asked = escapeControl(nameOrId);
  if (found) {
    const ids = [found, ...more].map(
      ({ id, record }) => `${id} (${escapeControl(`${record?.host}:${record?.pid}`)})`,
    );
    throw new NatspocError('failed', `Several members are named "${asked}". Use an id: ${ids.join(', ')}.`);
  }
  const names = [...follower.sessions.values()].map((each) => escapeControl(nameOf(each))).sort();
  const known = names.length > 0 ? `Members: ${names.join(', ')}.` : 'The group has no members.';
  throw new NatspocError('failed', `No member is named "${asked}". ${known}`);
}
