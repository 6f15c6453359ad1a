import { partitionList } from '../../text/partition-list.js';
import type { Owner, OwnershipChange } from './ownership.js';

/** With more partitions, the picture lists ranges instead of columns. */
const MAX_COLUMNS = 24;

/** The owners of partitions: one row per member, one column per partition. */
export function ownershipPicture(
  members: readonly string[],
  owners: ReadonlyMap<number, Owner>,
  partitions: number,
): string[] {
  const width = Math.max(...members.map((name) => name.length), 7);
  const owned = (name: string): number[] =>
    Array.from({ length: partitions }, (_, p) => p).filter((p) => owners.get(p)?.name === name);
  if (partitions > MAX_COLUMNS) {
    return members.map(
      (name) => `${name.padEnd(width)}  ${owned(name).length}: ${partitionList(owned(name))}`,
    );
  }
  const columns = Array.from({ length: partitions }, (_, p) => `p${p}`.padStart(4)).join('');
  const rows = members.map((name) => {
    const cells = Array.from({ length: partitions }, (_, p) =>
      (owners.get(p)?.name === name ? '■' : '·').padStart(4),
    );
    return `${name.padEnd(width)}${cells.join('')}   ${owned(name).length}`;
  });
  return [`${' '.repeat(width)}${columns}`, ...rows];
}

/** The moves of partitions, one line for each pair of members: `dave acquired p0 p3 from alice`. */
export function describeChanges(changes: readonly OwnershipChange[]): string[] {
  const groups = new Map<string, { to: string; from: string | null; verb: string; partitions: number[] }>();
  const last = new Map(changes.map((change) => [change.partition, change]));
  for (const { partition, to, from, reason } of last.values()) {
    if (to === null) continue;
    const verb = reason === 'claim' ? 'claimed' : 'acquired';
    const key = `${to}\n${from}\n${verb}`;
    const group = groups.get(key) ?? { to, from, verb, partitions: [] };
    group.partitions.push(partition);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((a, b) => (a.to < b.to ? -1 : 1))
    .map(
      ({ to, from, verb, partitions }) =>
        `${to} ${verb} ${partitionList(partitions)}${from ? ` from ${from}` : ''}`,
    );
}
