import type * as PromClient from 'prom-client';
import { NatspocError } from '../lib/errors.js';
import { definitionOf, type MetricName } from './definitions.js';

/** Sets a value of a gauge; undefined and null set nothing. */
export type SetValue = (value: number | null | undefined, labels?: Readonly<Record<string, string>>) => void;

/** The metrics of one process, created from their definitions. */
export class MetricRegistry {
  readonly #prom: typeof PromClient;
  readonly #registry: PromClient.Registry;
  readonly #groups: readonly string[];

  private constructor(prom: typeof PromClient, labels: Readonly<Record<string, string>>) {
    this.#prom = prom;
    this.#registry = new prom.Registry();
    this.#registry.setDefaultLabels(labels);
    this.#groups = 'group' in labels ? [] : ['group'];
  }

  /**
   * Loads the package prom-client, which the program has to install.
   *
   * @param labels the labels of all metrics. Without `group`, the caller sets this label with each value of a group's metric.
   * @throws NatspocError `config` if the package is not installed.
   */
  static async open(labels: Readonly<Record<string, string>>): Promise<MetricRegistry> {
    let prom: typeof PromClient;
    try {
      prom = await import('prom-client');
    } catch (cause) {
      const message = 'health needs the package prom-client: run "npm install prom-client".';
      throw new NatspocError('config', message, { cause });
    }
    return new MetricRegistry(prom, labels);
  }

  /** The content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A gauge whose values are read at each scrape. */
  gauge(name: MetricName, read: (set: SetValue) => void): void {
    const gauge: PromClient.Gauge = new this.#prom.Gauge({
      ...this.#options(name),
      collect: () => {
        gauge.reset();
        read((value, labels = {}) => {
          if (value !== null && value !== undefined) gauge.set(labels, value);
        });
      },
    });
  }

  /** A counter whose value is read at each scrape. */
  total(name: MetricName, read: () => number): void {
    const counter: PromClient.Counter = new this.#prom.Counter({
      ...this.#options(name),
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  /** A counter that its caller increments. */
  counter(name: MetricName): { inc(by?: number): void } {
    return new this.#prom.Counter(this.#options(name));
  }

  /** A histogram of seconds. */
  histogram(name: MetricName): { observe(seconds: number): void } {
    const buckets = [...(definitionOf(name).buckets ?? [])];
    return new this.#prom.Histogram({ ...this.#options(name), buckets });
  }

  #options(name: MetricName) {
    const { help, labels = [], ofProcess } = definitionOf(name);
    const labelNames = [...(ofProcess ? [] : this.#groups), ...labels];
    return { name, help, labelNames, registers: [this.#registry] };
  }
}
