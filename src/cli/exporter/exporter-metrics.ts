import type { LeaseStatus } from '../../core/admin/lease-status.js';
import type { MetricName } from '../../core/health/definitions.js';
import { MetricRegistry } from '../../core/health/registry.js';
import { drainMs } from '../../core/lib/drain.js';
import type { ExportedState, KnownGroup } from './known-groups.js';

const STATES: readonly ExportedState[] = ['running', 'idle', 'no-members', 'unreadable', 'missing'];

/** The values from which the exporter's metrics are made. */
export interface ExporterFacts {
  /** All groups, by name. */
  readonly groups: readonly KnownGroup[];
  /** How many times the connection broke, and how many readings failed. */
  readonly disconnects: number;
  readonly failures: number;
  /** How long the last complete reading took, in milliseconds; undefined before the first complete reading. */
  readonly tookMs: number | undefined;
  /** This process's clock, in milliseconds. */
  now(): number;
}

/** Reads the value of each metric of a group. Undefined and null mean that the value is not known. */
const OF_GROUP: Partial<Record<MetricName, (known: KnownGroup, now: number) => number | null | undefined>> = {
  natspoc_group_partitions: ({ status, partitions }) => status && partitions,
  natspoc_group_partitions_owned: ({ status, owned }) => status && owned,
  natspoc_group_members: ({ status, members }) => status && members,
  natspoc_group_members_unreachable: ({ status, unreachable }) => status && unreachable,
  natspoc_group_lag_messages: ({ lag }) => lag,
  natspoc_group_oldest_message_age_seconds: ({ lag, oldestMs }) => seconds(lag === 0 ? 0 : oldestMs),
  natspoc_group_drain_seconds: ({ drainMs }) => seconds(drainMs),
  natspoc_group_handled_per_second: ({ status }) =>
    status?.partitions.reduce((sum, { ratePerSecond }) => sum + (ratePerSecond ?? 0), 0),
  natspoc_group_arriving_per_second: ({ arrivingPerSecond }) => arrivingPerSecond,
  natspoc_group_suggested_members: ({ suggestedMembers }) => suggestedMembers,
  natspoc_group_messages_trimmed: ({ status }) =>
    status?.partitions.reduce((sum, { trimmed }) => sum + trimmed, 0),
  natspoc_group_data_age_seconds: ({ readAt }, now) => seconds(now - readAt),
};

/**
 * Reads the value of each metric of a partition, and its labels besides `group` and `partition`. `ageMs` is the time since the group was
 * read.
 */
const OF_PARTITION: Partial<
  Record<MetricName, (lease: LeaseStatus, ageMs: number) => [number | null, Record<string, string>?] | null>
> = {
  natspoc_lag_messages: ({ lag }) => [lag],
  natspoc_oldest_message_age_seconds: ({ lag, oldestMs }) => [seconds(lag === 0 ? 0 : oldestMs)],
  natspoc_drain_seconds: ({ lag, ratePerSecond }) => [seconds(drainMs(lag, ratePerSecond))],
  natspoc_partition_held_up_seconds: ({ holdUp }) => holdUp && [holdUp.forMs / 1_000, { why: holdUp.why }],
  natspoc_partition_paused_timestamp_seconds: ({ pausedBy, pausedMs }, ageMs) =>
    pausedMs === null ? null : [(Date.now() - ageMs - pausedMs) / 1_000, { by: pausedBy ?? '' }],
};

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);

/** Creates the metrics of the exporter. */
export async function exporterMetrics(stream: string, facts: ExporterFacts): Promise<MetricRegistry> {
  const registry = await MetricRegistry.open({ stream });
  for (const [name, read] of entriesOf(OF_GROUP))
    registry.gauge(name, (set) => {
      for (const known of facts.groups) set(read(known, facts.now()), { group: known.group });
    });
  for (const [name, read] of entriesOf(OF_PARTITION))
    registry.gauge(name, (set) => {
      for (const { group, status, readAt } of facts.groups)
        for (const lease of status?.partitions ?? []) {
          const [value, labels] = read(lease, facts.now() - readAt) ?? [];
          set(value, { group, partition: String(lease.partition), ...labels });
        }
    });
  registry.gauge('natspoc_group_state', (set) => {
    for (const { group, state: now } of facts.groups)
      for (const state of STATES) set(state === now ? 1 : 0, { group, state });
  });
  registry.gauge('natspoc_group_problems', (set) => {
    for (const { group, findings } of facts.groups) {
      const counts = new Map<string, { kind: string; severity: string; count: number }>();
      for (const { kind, severity } of findings) {
        const key = `${kind} ${severity}`;
        counts.set(key, { kind, severity, count: (counts.get(key)?.count ?? 0) + 1 });
      }
      for (const { count, ...labels } of counts.values()) set(count, { group, ...labels });
    }
  });
  registry.gauge('natspoc_memory_bytes', (set) => {
    const { heapUsed, external, rss } = process.memoryUsage();
    set(heapUsed + external, { kind: 'alloc' });
    set(rss, { kind: 'resident' });
  });
  registry.gauge('natspoc_exporter_read_seconds', (set) => set(seconds(facts.tookMs ?? null)));
  registry.total('natspoc_exporter_read_failures_total', () => facts.failures);
  registry.total('natspoc_disconnects_total', () => facts.disconnects);
  return registry;
}

const entriesOf = <T>(table: Partial<Record<MetricName, T>>): [MetricName, T][] =>
  Object.entries(table) as [MetricName, T][];
