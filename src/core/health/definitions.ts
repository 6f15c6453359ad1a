/** Which process serves a metric: a member, `natspoc exporter`, or both. */
type Source = 'member' | 'exporter' | 'both';

/** A metric for Prometheus. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly from: Source;
  readonly help: string;
  /** Labels besides `stream`, `group` and `member`. */
  readonly labels?: readonly string[];
  /** True if the metric describes the process that serves the metric. The exporter adds no `group` label to such a metric. */
  readonly ofProcess?: boolean;
  /** For a histogram: the upper bounds, in seconds. */
  readonly buckets?: readonly number[];
}

/**
 * All metrics that members and the exporter serve, by name. The reference is generated from this table. Every metric has the
 * `stream` label. A metric about a group also has `group`, and a member's metric has `group` and `member`.
 */
export const METRICS = {
  natspoc_messages_handled_total: {
    type: 'counter',
    from: 'member',
    help: 'Messages handled, dead-lettered or skipped.',
  },
  natspoc_attempts_failed_total: { type: 'counter', from: 'member', help: 'Failed attempts of handlers.' },
  natspoc_messages_dead_lettered_total: {
    type: 'counter',
    from: 'member',
    help: 'Messages stored as dead letters.',
  },
  natspoc_messages_skipped_total: {
    type: 'counter',
    from: 'member',
    help: 'Messages skipped after their last attempt failed.',
  },
  natspoc_messages_without_key_total: {
    type: 'counter',
    from: 'member',
    help: 'Messages without a key that a keyed group handled. The whole subject was used as their key.',
  },
  natspoc_messages_trimmed_total: {
    type: 'counter',
    from: 'member',
    help: 'Upper bound on messages that the stream dropped before they were handled.',
  },
  natspoc_handler_duration_seconds: {
    type: 'histogram',
    from: 'member',
    help: 'Duration of handler calls, including failed calls.',
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
  },
  natspoc_commit_duration_seconds: {
    type: 'histogram',
    from: 'member',
    help: 'Time from sending a commit to its confirmation.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
  },
  natspoc_partitions_owned: {
    type: 'gauge',
    from: 'member',
    help: 'Partitions that this member owns.',
  },
  natspoc_partitions_halted: {
    type: 'gauge',
    from: 'member',
    help: 'Partitions of this member that are halted because a message failed for good.',
  },
  natspoc_rebalances_total: {
    type: 'counter',
    from: 'member',
    help: 'Partitions that this member acquired or lost.',
  },
  natspoc_fencings_total: {
    type: 'counter',
    from: 'member',
    help: 'Number of times that this member was fenced.',
  },
  natspoc_lag_messages: {
    type: 'gauge',
    from: 'both',
    help: 'Messages that wait in a partition. A member reports the number as of its last delivery.',
    labels: ['partition'],
  },
  natspoc_oldest_message_age_seconds: {
    type: 'gauge',
    from: 'both',
    help: 'How long ago the first waiting message of a partition was stored. 0 if no message waits; absent if the time is unknown.',
    labels: ['partition'],
  },
  natspoc_drain_seconds: {
    type: 'gauge',
    from: 'both',
    help: 'Time to handle the waiting messages of a partition at the present rate, if no more messages arrive. Absent if nothing is handled.',
    labels: ['partition'],
  },
  natspoc_partition_held_up_seconds: {
    type: 'gauge',
    from: 'both',
    help: 'How long a partition has been held up, by the reason: retrying, storing, halted, starting, handler, stuck.',
    labels: ['partition', 'why'],
  },
  natspoc_partition_paused_timestamp_seconds: {
    type: 'gauge',
    from: 'both',
    help: 'When an operator paused a partition, in seconds since 1970.',
    labels: ['partition', 'by'],
  },
  natspoc_memory_bytes: {
    type: 'gauge',
    from: 'both',
    help: 'Memory of this process: alloc (in use) and resident.',
    labels: ['kind'],
    ofProcess: true,
  },
  natspoc_disconnects_total: {
    type: 'counter',
    from: 'both',
    help: 'Number of times that the connection to NATS broke.',
    ofProcess: true,
  },
  natspoc_group_state: {
    type: 'gauge',
    from: 'exporter',
    help: '1 for the present state: running; idle (no members, and none needed); no-members; unreadable; missing (named by --group, but does not exist).',
    labels: ['state'],
  },
  natspoc_group_partitions: { type: 'gauge', from: 'exporter', help: 'Partitions of the group.' },
  natspoc_group_partitions_owned: {
    type: 'gauge',
    from: 'exporter',
    help: 'Partitions whose owner has a session.',
  },
  natspoc_group_members: { type: 'gauge', from: 'exporter', help: 'Members that run.' },
  natspoc_group_members_unreachable: {
    type: 'gauge',
    from: 'exporter',
    help: 'Members that died and whose sessions have not been removed yet.',
  },
  natspoc_group_lag_messages: {
    type: 'gauge',
    from: 'exporter',
    help: 'Messages that wait in all partitions. Absent if the number is unknown for at least one partition.',
  },
  natspoc_group_oldest_message_age_seconds: {
    type: 'gauge',
    from: 'exporter',
    help: 'How long ago the oldest waiting message was stored. 0 if no message waits; absent if the time is unknown.',
  },
  natspoc_group_drain_seconds: {
    type: 'gauge',
    from: 'exporter',
    help: 'Time to handle all waiting messages at the present rate, if no more messages arrive. Absent if nothing is handled, or if messages wait in a partition that no member works on.',
  },
  natspoc_group_handled_per_second: {
    type: 'gauge',
    from: 'exporter',
    help: 'Messages handled per second, as the members report.',
  },
  natspoc_group_arriving_per_second: {
    type: 'gauge',
    from: 'exporter',
    help: 'Messages that arrive per second, computed from the handled messages and the change of the lag within the last minute. Absent until the rate is known.',
  },
  natspoc_group_suggested_members: {
    type: 'gauge',
    from: 'exporter',
    help: 'Number of members that can keep up with arrivals and drain the backlog within --drain-target.',
  },
  natspoc_group_messages_trimmed: {
    type: 'gauge',
    from: 'exporter',
    help: 'Upper bound on messages that the stream dropped before they were handled, counted since the last seek, or else since the group started.',
  },
  natspoc_group_problems: {
    type: 'gauge',
    from: 'exporter',
    help: 'Problems that "natspoc leases check" finds, by kind and severity.',
    labels: ['kind', 'severity'],
  },
  natspoc_group_data_age_seconds: {
    type: 'gauge',
    from: 'exporter',
    help: 'Age of the metrics of the group. The metrics keep their last values while NATS cannot be read.',
  },
  natspoc_exporter_read_seconds: {
    type: 'gauge',
    from: 'exporter',
    help: 'How long the last complete reading of all groups took.',
    ofProcess: true,
  },
  natspoc_exporter_read_failures_total: {
    type: 'counter',
    from: 'exporter',
    help: 'Readings that failed as a whole.',
    ofProcess: true,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;

/** The definition of a metric, with its optional fields. */
export const definitionOf = (name: MetricName): MetricDefinition => METRICS[name];
