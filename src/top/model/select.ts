import type { Lease, Member, Model, Progress } from './model.js';
import { ratePerSecond } from './series.js';

/** Who has not said anything for so long handles nothing, as far as can be seen. */
const SILENT_MS = 5_000;

/** The session that owns a partition and lives; null: nobody. */
export function liveOwner(model: Model, partition: number): Member | null {
  const record = model.leases.get(partition)?.record;
  if (!record || record === 'unreadable' || record.owner === null) return null;
  return model.members.get(record.owner) ?? null;
}

/** All partition numbers of the layout, or of what is known while there is no layout. */
export function partitionsOf(model: Model): number[] {
  const count = model.layout?.partitions ?? Math.max(-1, ...model.leases.keys()) + 1;
  return Array.from({ length: count }, (_, partition) => partition);
}

/** The order of names as people count: `b-2` before `b-10`. */
export const compareNames = new Intl.Collator('en', { numeric: true }).compare;

/** The name that people call a member by. */
export const nameOf = (member: Member): string => member.record?.name ?? member.id;

/** Messages of a partition that are not handled yet; null: not known. */
export function lagOf(model: Model, partition: number): number | null {
  const known = model.progress.get(partition);
  const facts = model.stream?.facts;
  if (!known) return null;
  const { position, end, reader, waiting } = known;
  if (facts && facts.counts[partition] === 0) return 0;
  if (reader && reader.epoch >= known.epoch) return reader.pending + inMemory(model, partition, known);
  if (waiting && waiting.after === (position ?? 0)) return waiting.count;
  if (position !== null && end !== null && position >= end) return 0;
  return null;
}

/** Messages that the reader has delivered and the owner has not handled. */
function inMemory(model: Model, partition: number, { position, reader, handled }: Progress): number {
  if (!reader || position === null || position >= reader.deliveredSequence) return 0;
  if (handled !== null) return Math.max(0, reader.deliveredCount - handled);
  // Sequences are shared by all partitions: of those between, only this partition's share counts.
  const { counts, firstSequence, lastSequence } = model.stream?.facts ?? {};
  const share = (counts?.[partition] ?? 1) / Math.max(1, (lastSequence ?? 1) - (firstSequence ?? 0) + 1);
  const between = Math.round((reader.deliveredSequence - position) * Math.min(1, share));
  return Math.min(Math.max(1, between), reader.deliveredCount);
}

/** True for a partition that an operator has told to rest. */
export const isPaused = (model: Model, partition: number): boolean =>
  model.overrides.get(partition)?.record?.paused ?? false;

/** Messages that no partition, or none of these, has handled yet, as far as known; null: nothing is known. */
export function totalLag(model: Model, partitions = partitionsOf(model)): number | null {
  let total: number | null = null;
  for (const partition of partitions) {
    const lag = lagOf(model, partition);
    if (lag !== null) total = (total ?? 0) + lag;
  }
  return total;
}

/** One partition as the table shows it. */
export interface PartitionRow {
  partition: number;
  lease: Lease | undefined;
  owner: Member | null;
  /** Name of the owner, also of one that is gone. */
  ownerName: string | null;
  epoch: number | null;
  heldMs: number | null;
  position: number | null;
  end: number | null;
  lag: number | null;
  rate: number | null;
  /** Name or session that an operator wants it to be with; null: none. */
  pin: string | null;
  state: 'owned' | 'paused' | 'unowned' | 'unreadable' | 'silent' | 'leaving' | 'halted' | 'starting';
}

function stateOf(model: Model, partition: number): PartitionRow['state'] {
  const record = model.leases.get(partition)?.record;
  if (record === 'unreadable') return 'unreadable';
  const owner = liveOwner(model, partition);
  if (!owner) return 'unowned';
  const state = model.progress.get(partition)?.state;
  if (state === 'halted') return 'halted';
  if (isPaused(model, partition)) return 'paused';
  if (owner.record?.leaving) return 'leaving';
  if (isSilent(model, owner)) return 'silent';
  return state === 'starting' ? 'starting' : 'owned';
}

/** A member that should have renewed long ago, or whose connection is gone. */
export function isSilent(model: Model, member: Member): boolean {
  if (model.connection.state !== 'connected') return false;
  if (member.goneSince !== null) return true;
  const lookedAt = member.lookedAt ?? model.now;
  return member.record !== null && lookedAt - member.renewedAt > member.record.ttlMs * 0.7;
}

/** The last message of a partition: what was handled was stored, whatever was read of the stream so far. */
function endOf(progress: Progress | undefined): number | null {
  if (!progress || progress.end === null) return null;
  return Math.max(progress.end, progress.position ?? 0);
}

/** A function of a model that is computed once for each: a screen asks for the same rows many times. */
function once<T>(compute: (model: Model) => T): (model: Model) => T {
  const known = new WeakMap<Model, T>();
  return (model) => {
    let value = known.get(model);
    if (value === undefined) {
      value = compute(model);
      known.set(model, value);
    }
    return value;
  };
}

/** All partitions, by number. */
export const partitionRows = once((model: Model): readonly PartitionRow[] =>
  partitionsOf(model).map((partition) => {
    const lease = model.leases.get(partition);
    const record = lease?.record === 'unreadable' ? null : (lease?.record ?? null);
    const progress = model.progress.get(partition);
    const owned = record !== null && record.owner !== null;
    const owner = liveOwner(model, partition);
    return {
      partition,
      lease,
      owner,
      ownerName: owned ? record.name : null,
      epoch: owned && lease ? lease.revision : null,
      heldMs: owned && lease ? Math.max(0, model.now - lease.since) : null,
      position: progress?.position ?? null,
      end: endOf(progress),
      lag: lagOf(model, partition),
      rate: owner && progress ? ratePerSecond(progress.counts.series) : null,
      pin: model.overrides.get(partition)?.record?.pin ?? null,
      state: stateOf(model, partition),
    };
  }),
);

/** One member as the table shows it. */
export interface MemberRow {
  member: Member;
  name: string;
  partitions: number[];
  lag: number | null;
  rate: number | null;
  renewedAgoMs: number;
  state: 'ok' | 'leaving' | 'silent' | 'unreadable';
}

/** All living members, by name. */
export const memberRows = once((model: Model): readonly MemberRow[] => {
  const owned = new Map<string, number[]>();
  for (const partition of partitionsOf(model)) {
    const owner = liveOwner(model, partition);
    if (owner) owned.set(owner.id, [...(owned.get(owner.id) ?? []), partition]);
  }
  const rows = [...model.members.values()].map((member): MemberRow => {
    const partitions = owned.get(member.id) ?? [];
    const lags = partitions.map((partition) => lagOf(model, partition)).filter((lag) => lag !== null);
    return {
      member,
      name: nameOf(member),
      partitions,
      lag: lags.length > 0 || partitions.length === 0 ? lags.reduce((sum, lag) => sum + lag, 0) : null,
      rate: memberRate(model, member, partitions),
      renewedAgoMs: Math.max(0, model.now - member.renewedAt),
      state: !member.record
        ? 'unreadable'
        : isSilent(model, member)
          ? 'silent'
          : member.record.leaving
            ? 'leaving'
            : 'ok',
    };
  });
  return rows.sort((a, b) => compareNames(a.name, b.name) || (a.member.id < b.member.id ? -1 : 1));
});

/** The sum of rates; null where one of them is not known, as a part of them would look like all. */
function sumOf(rates: readonly (number | null)[]): number | null {
  let sum: number | null = null;
  for (const rate of rates) {
    if (rate === null) return null;
    sum = (sum ?? 0) + rate;
  }
  return sum;
}

/** By its own count, or where it does not tell by those of its partitions. */
function memberRate(model: Model, member: Member, partitions: readonly number[]): number | null {
  const own = ratePerSecond(member.handled);
  if (own !== null) {
    const hasAnswered = member.statsAt === model.handled.series.at(-1)?.at;
    return hasAnswered || model.now - member.statsAt < SILENT_MS ? own : 0;
  }
  return sumOf(
    partitions.flatMap((partition) => {
      const series = model.progress.get(partition)?.counts.series ?? [];
      return series.length === 0 ? [] : [ratePerSecond(series)];
    }),
  );
}

/** What the head of the screen says about all of it. */
export interface Totals {
  partitions: number;
  owned: number;
  members: number;
  published: number | null;
  handled: number | null;
  lag: number | null;
}

/** Sums over members and partitions. */
export function totalsOf(model: Model): Totals {
  const rows = memberRows(model);
  const known = model.handled.series.length > 0;
  return {
    partitions: partitionsOf(model).length,
    owned: rows.reduce((sum, { partitions }) => sum + partitions.length, 0),
    members: rows.length,
    published: ratePerSecond(model.stream?.published ?? []),
    handled: known ? ratePerSecond(model.handled.series) : sumOf(rows.map(({ rate }) => rate)),
    lag: totalLag(model),
  };
}
