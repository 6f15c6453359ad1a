import { drainMs } from '../lib/drain.js';
import { promiseOf } from '../lib/promise-of.js';
import { MetricRegistry } from './registry.js';
import type { HealthSubject } from './subject.js';

/** Events of a partition that leaves this member. */
const REBALANCES = ['handed-over', 'released', 'lost'] as const;

/** The labels that identify the member, on every metric. */
type Labels = Readonly<Record<'stream' | 'group' | 'member', string>>;

/** The metrics of a member for Prometheus. Most values are read from the member when Prometheus scrapes them. */
export class Metrics {
  readonly #registry: MetricRegistry;
  readonly #handlerTime: { observe(seconds: number): void };

  private constructor(registry: MetricRegistry) {
    this.#registry = registry;
    this.#handlerTime = registry.histogram('natspoc_handler_duration_seconds');
  }

  /** @throws NatspocError `config` if the package prom-client is not installed. */
  static async open(labels: Labels): Promise<Metrics> {
    return new Metrics(await MetricRegistry.open(labels));
  }

  /** Wraps a handler so that its calls are measured. */
  timed<Call extends unknown[]>(handler: (...call: Call) => unknown): (...call: Call) => unknown {
    const histogram = this.#handlerTime;
    return (...call) => {
      const startedAt = performance.now();
      const done = (): void => histogram.observe((performance.now() - startedAt) / 1_000);
      let running: Promise<unknown> | undefined;
      try {
        running = promiseOf(handler(...call));
      } catch (error) {
        done();
        throw error;
      }
      if (running) return running.finally(done);
      done();
      return undefined;
    };
  }

  /** Registers the metrics that are read from a member. */
  attach(member: HealthSubject): void {
    const { counters } = member;
    const registry = this.#registry;
    registry.total('natspoc_messages_handled_total', () => counters.handled);
    registry.total('natspoc_attempts_failed_total', () => counters.failed);
    registry.total('natspoc_messages_dead_lettered_total', () => counters.deadLettered);
    registry.total('natspoc_messages_skipped_total', () => counters.skipped);
    registry.total('natspoc_messages_without_key_total', () => counters.withoutKey);
    registry.gauge('natspoc_partitions_owned', (set) => set(member.partitions.length));
    registry.gauge('natspoc_partitions_halted', (set) =>
      set(member.partitions.filter(({ state }) => state === 'halted').length),
    );
    registry.gauge('natspoc_memory_bytes', (set) => {
      const { allocBytes, sysBytes } = member.memory;
      set(allocBytes, { kind: 'alloc' });
      set(sysBytes, { kind: 'resident' });
    });
    this.#attachPartitions(member);
    this.#countEvents(member);
  }

  /** The content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.text();
  }

  #attachPartitions(member: HealthSubject): void {
    const registry = this.#registry;
    const of = (partition: number) => ({ partition: String(partition) });
    registry.gauge('natspoc_lag_messages', (set) => {
      for (const { partition, lag } of member.partitions) set(lag, of(partition));
    });
    registry.gauge('natspoc_oldest_message_age_seconds', (set) => {
      const nowMs = Date.now();
      for (const { partition, lag, oldestAtMs } of member.partitions) {
        const ageMs = lag === 0 ? 0 : oldestAtMs && Math.max(0, nowMs - oldestAtMs);
        set(ageMs === undefined ? ageMs : ageMs / 1_000, of(partition));
      }
    });
    registry.gauge('natspoc_drain_seconds', (set) => {
      for (const { partition, lag = null, ratePerSecond = null } of member.stats.partitions) {
        const ms = drainMs(lag, ratePerSecond);
        set(ms === null ? ms : ms / 1_000, of(partition));
      }
    });
    registry.gauge('natspoc_partition_held_up_seconds', (set) => {
      for (const { partition, holdUp } of member.partitions)
        if (holdUp) set(holdUp.forMs / 1_000, { ...of(partition), why: holdUp.why });
    });
    registry.gauge('natspoc_partition_paused_timestamp_seconds', (set) => {
      for (const { partition, pause } of member.partitions)
        if (pause) set((Date.parse(pause.at) || 0) / 1_000, { ...of(partition), by: pause.by });
    });
  }

  #countEvents(member: HealthSubject): void {
    const registry = this.#registry;
    const commits = registry.histogram('natspoc_commit_duration_seconds');
    member.on('committed', ({ tookMs }) => commits.observe(tookMs / 1_000));
    const rebalances = registry.counter('natspoc_rebalances_total');
    for (const type of REBALANCES) member.on(type, () => rebalances.inc());
    member.on('acquired', ({ again }) => {
      if (!again) rebalances.inc();
    });
    const breaks = registry.counter('natspoc_disconnects_total');
    member.on('disconnected', () => breaks.inc());
    const fencings = registry.counter('natspoc_fencings_total');
    member.on('fenced', () => fencings.inc());
    const trimmed = registry.counter('natspoc_messages_trimmed_total');
    member.on('trimmed', ({ atMost }) => trimmed.inc(atMost));
  }
}
