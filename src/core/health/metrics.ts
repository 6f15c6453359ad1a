import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { promiseOf } from '../lib/promise-of.js';
import type { HealthSubject } from './subject.js';

/** Seconds; from a map lookup to a slow request. */
const HANDLER_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];
const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

/** Reports that mean that a partition has changed hands here. */
const REBALANCES = ['acquired', 'handed-over', 'released', 'lost'] as const;

/**
 * A member in Prometheus' words. What can be read when somebody asks is read then; only handler and commit
 * times are measured as they happen.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #handlerTime: Histogram;

  /** `labels` are put on every metric: who this member is. */
  constructor(labels: { stream: string; group: string; member: string }) {
    this.#registry.setDefaultLabels(labels);
    this.#handlerTime = new Histogram({
      name: 'natspoc_handler_duration_seconds',
      help: 'How long a call of the handler took, failed ones included.',
      buckets: HANDLER_BUCKETS,
      registers: [this.#registry],
    });
  }

  /** The same handler, measured. */
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

  /** Reads everything else off a member. */
  attach(member: HealthSubject): void {
    const { counters } = member;
    this.#total('natspoc_messages_handled_total', 'Messages dealt with.', () => counters.handled);
    this.#total('natspoc_attempts_failed_total', 'Attempts that failed.', () => counters.failed);
    this.#total(
      'natspoc_messages_dead_lettered_total',
      'Messages stored as dead letters.',
      () => counters.deadLettered,
    );
    this.#total('natspoc_messages_skipped_total', 'Messages passed over.', () => counters.skipped);
    this.#gauge('natspoc_partitions_owned', 'Partitions that this member owns.', [], (gauge) =>
      gauge.set(member.partitions.length),
    );
    this.#gauge('natspoc_partitions_halted', 'Of these: given up by the handler.', [], (gauge) =>
      gauge.set(member.partitions.filter(({ state }) => state === 'halted').length),
    );
    const lag = 'Messages that wait in a partition, as of the last delivery from it.';
    this.#gauge('natspoc_lag_messages', lag, ['partition'], (gauge) => {
      for (const status of member.partitions) gauge.set({ partition: status.partition }, status.lag);
    });
    this.#gauge('natspoc_memory_bytes', 'Memory of this process.', ['kind'], (gauge) => {
      const { allocBytes, sysBytes } = member.memory;
      gauge.set({ kind: 'alloc' }, allocBytes);
      gauge.set({ kind: 'resident' }, sysBytes);
    });
    this.#countEvents(member);
  }

  /** The content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #countEvents(member: HealthSubject): void {
    const registers = [this.#registry];
    const commits = new Histogram({
      name: 'natspoc_commit_duration_seconds',
      help: 'From sending a commit to its confirmation.',
      buckets: COMMIT_BUCKETS,
      registers,
    });
    member.on('committed', ({ tookMs }) => commits.observe(tookMs / 1_000));
    const rebalances = new Counter({
      name: 'natspoc_rebalances_total',
      help: 'Partitions that came to this member or left it.',
      registers,
    });
    for (const type of REBALANCES) member.on(type, () => rebalances.inc());
    const fencings = new Counter({
      name: 'natspoc_fencings_total',
      help: 'How often this member was fenced by another.',
      registers,
    });
    member.on('fenced', () => fencings.inc());
    const trimmed = new Counter({
      name: 'natspoc_messages_trimmed_total',
      help: 'Messages that the stream dropped before they were handled, at most.',
      registers,
    });
    member.on('trimmed', ({ atMost }) => trimmed.inc(atMost));
  }

  /** A counter whose value comes from elsewhere. */
  #total(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  #gauge(name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        read(gauge);
      },
    });
  }
}
