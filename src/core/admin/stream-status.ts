import type { StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { LayoutRecord } from '../protocol/records.js';
import { readLags } from './lag.js';
import { isDead, readMembers } from './members.js';
import { readPositionFaults } from './position-fault.js';

/** A group in the status of its stream. */
interface GroupSummary {
  group: string;
  /** Members that run. */
  members: number;
  /** Members that died, but whose sessions have not been removed yet. */
  unreachable: number;
  /** Partitions whose leases name an owner. */
  owned: number;
  /** Partitions in which it has a position. */
  begun: number;
  /** Messages that wait for it; null: unknown, because positions are wrong. */
  lag: number | null;
  /** Number of wrong positions; `leases check` gives the reasons. */
  wrongPositions: number;
}

/** The messages of a partition. */
interface PartitionSummary {
  partition: number;
  messages: number;
  /** Sequence of its last message, and when it was stored, whole milliseconds since 1970; null: empty. */
  end: number | null;
  lastAtMs: number | null;
}

/** A stream, its partitions and its groups at one moment. */
export interface StreamStatus {
  stream: StreamFacts;
  layout: LayoutRecord;
  /** Of a keyed group: where the key is, and which subjects it handles; then the messages of a partition are not counted. */
  keyed: { key: string; filter: string } | null;
  partitions: PartitionSummary[];
  groups: GroupSummary[];
}

/**
 * Reads the status of a stream once.
 *
 * @param observers one for each group of the stream.
 * @param answerMs how long the members of a group have to answer, milliseconds.
 * @throws the errors of the observers: no permission, no stream, no answer.
 */
export async function readStreamStatus(
  observer: GroupObserver,
  { layout, keyed }: Pick<StreamStatus, 'layout' | 'keyed'>,
  observers: ReadonlyMap<string, GroupObserver>,
  answerMs: number,
): Promise<StreamStatus> {
  const groups: GroupSummary[] = [];
  for (const [group, each] of observers) groups.push(await summariseGroup(group, each, layout, answerMs));
  const [stream, ends] = await Promise.all([observer.stream(), observer.ends()]);
  const last = new Map(ends.map((each) => [each.partition, each]));
  return {
    stream,
    layout,
    keyed,
    partitions: stream.counts.map((messages, partition) => {
      const end = last.get(partition);
      return {
        partition,
        messages,
        end: end?.sequence ?? null,
        lastAtMs: end ? Math.round(end.atMs) : null,
      };
    }),
    groups,
  };
}

async function summariseGroup(
  group: string,
  observer: GroupObserver,
  layout: LayoutRecord,
  answerMs: number,
): Promise<GroupSummary> {
  const [entries, positions] = await Promise.all([observer.entries(), observer.positions()]);
  const position = new Map(positions.map((each) => [each.partition, each.sequence]));
  // Read last, so that no position is beyond its end.
  const [found, stream] = await Promise.all([observer.ends(), observer.stream()]);
  const ends = new Map(found.map((each) => [each.partition, each.sequence]));
  const { size: wrong } = await readPositionFaults(observer, positions, stream);
  const lags = await readLags(
    observer,
    Array.from({ length: layout.partitions }, (_, partition) => ({
      partition,
      position: position.get(partition) ?? null,
      end: ends.get(partition) ?? null,
    })),
  );
  const members = [...(await readMembers(observer, entries, answerMs)).values()];
  const unreachable = members.filter(isDead).length;
  let owned = 0;
  for (const { entry } of entries) {
    if (entry.kind !== 'lease' || entry.record === null || entry.record === 'unreadable') continue;
    if (entry.record.owner !== null && entry.partition < layout.partitions) owned++;
  }
  const lag = wrong > 0 ? null : [...lags.values()].reduce((sum, each) => sum + each, 0);
  const running = members.length - unreachable;
  return { group, members: running, unreachable, owned, begun: position.size, lag, wrongPositions: wrong };
}

/** The number of running members as text, and of dead members that still have a session. */
export function describeMembers({
  members,
  unreachable,
}: Pick<GroupSummary, 'members' | 'unreachable'>): string {
  return `${members} running${unreachable > 0 ? `, ${unreachable} unreachable` : ''}`;
}
