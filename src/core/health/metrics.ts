import type * as PromClient from 'prom-client';
import { NatspocError } from '../lib/errors.js';
import { promiseOf } from '../lib/promise-of.js';
import type { HealthSubject } from './subject.js';

/** Seconds: from a map lookup to a slow request. */
const HANDLER_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];
const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

/** Events of a partition that leaves this member. */
const REBALANCES = ['handed-over', 'released', 'lost'] as const;

/** What identifies the member: added to every metric. */
interface Labels {
  stream: string;
  group: string;
  member: string;
}

/**
 * The metrics of a member for Prometheus. Values are read when they are scraped; only the durations of handlers and
 * commits are measured as they happen.
 */
export class Metrics {
  readonly #prom: typeof PromClient;
  readonly #registry: PromClient.Registry;
  readonly #handlerTime: PromClient.Histogram;

  private constructor(prom: typeof PromClient, labels: Labels) {
    this.#prom = prom;
    this.#registry = new prom.Registry();
    this.#registry.setDefaultLabels({ ...labels });
    this.#handlerTime = new prom.Histogram({
      name: 'natspoc_handler_duration_seconds',
      help: 'Duration of handler calls, including failed ones.',
      buckets: HANDLER_BUCKETS,
      registers: [this.#registry],
    });
  }

  /**
   * Loads the package prom-client, which the library does not ask for.
   *
   * @throws NatspocError `config` if it is not installed.
   */
  static async open(labels: Labels): Promise<Metrics> {
    let prom: typeof PromClient;
    try {
      prom = await import('prom-client');
    } catch (cause) {
      const message = 'health needs the package prom-client: run "npm install prom-client".';
      throw new NatspocError('config', message, { cause });
    }
    return new Metrics(prom, labels);
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
    this.#total(
      'natspoc_messages_handled_total',
      'Messages handled, dead-lettered or skipped.',
      () => counters.handled,
    );
    this.#total('natspoc_attempts_failed_total', 'Failed attempts of handlers.', () => counters.failed);
    this.#total(
      'natspoc_messages_dead_lettered_total',
      'Messages stored as dead letters.',
      () => counters.deadLettered,
    );
    this.#total(
      'natspoc_messages_skipped_total',
      'Messages skipped after their last attempt failed.',
      () => counters.skipped,
    );
    this.#total(
      'natspoc_messages_without_key_total',
      'Messages handled by a keyed group that had no key and went by their whole subject.',
      () => counters.withoutKey,
    );
    this.#gauge('natspoc_partitions_owned', 'Partitions that this member owns.', [], (gauge) =>
      gauge.set(member.partitions.length),
    );
    this.#gauge(
      'natspoc_partitions_halted',
      'Partitions that are halted because a message failed for good.',
      [],
      (gauge) => gauge.set(member.partitions.filter(({ state }) => state === 'halted').length),
    );
    this.#gauge(
      'natspoc_partition_held_up_seconds',
      'How long a partition has been held up, by the reason: retrying, storing, halted, starting, handler, stuck.',
      ['partition', 'why'],
      (gauge) => {
        for (const { partition, holdUp } of member.partitions)
          if (holdUp) gauge.set({ partition, why: holdUp.why }, holdUp.forMs / 1_000);
      },
    );
    this.#gauge(
      'natspoc_partition_paused_timestamp_seconds',
      'When an operator paused a partition, on their clock.',
      ['partition', 'by'],
      (gauge) => {
        for (const { partition, pause } of member.partitions)
          if (pause) gauge.set({ partition, by: pause.by }, (Date.parse(pause.at) || 0) / 1_000);
      },
    );
    const lag = 'Messages that wait in a partition, as of the last delivery.';
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
    const commits = new this.#prom.Histogram({
      name: 'natspoc_commit_duration_seconds',
      help: 'Time from sending a commit to its confirmation.',
      buckets: COMMIT_BUCKETS,
      registers,
    });
    member.on('committed', ({ tookMs }) => commits.observe(tookMs / 1_000));
    const rebalances = new this.#prom.Counter({
      name: 'natspoc_rebalances_total',
      help: 'Partitions that this member acquired or lost.',
      registers,
    });
    for (const type of REBALANCES) member.on(type, () => rebalances.inc());
    member.on('acquired', ({ again }) => {
      if (!again) rebalances.inc();
    });
    const breaks = new this.#prom.Counter({
      name: 'natspoc_disconnects_total',
      help: 'Number of times that the connection to NATS broke.',
      registers,
    });
    member.on('disconnected', () => breaks.inc());
    const fencings = new this.#prom.Counter({
      name: 'natspoc_fencings_total',
      help: 'Number of times that this member was fenced.',
      registers,
    });
    member.on('fenced', () => fencings.inc());
    const trimmed = new this.#prom.Counter({
      name: 'natspoc_messages_trimmed_total',
      help: 'Upper bound on messages that the stream dropped before they were handled.',
      registers,
    });
    member.on('trimmed', ({ atMost }) => trimmed.inc(atMost));
  }

  /** A counter whose value is read from the member. */
  #total(name: string, help: string, read: () => number): void {
    const counter: PromClient.Counter = new this.#prom.Counter({
      name,
      help,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  #gauge(name: string, help: string, labelNames: string[], read: (gauge: PromClient.Gauge) => void): void {
    const gauge: PromClient.Gauge = new this.#prom.Gauge({
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
