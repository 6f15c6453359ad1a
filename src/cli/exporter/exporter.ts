import { isAboutTheGroup } from '../../core/admin/group-fault.js';
import type { Config } from '../../core/config/config.js';
import { commonAnswer, type HttpAnswer, HttpServer, plain } from '../../core/health/http.js';
import type { MetricRegistry } from '../../core/health/registry.js';
import type { NatspocError } from '../../core/lib/errors.js';
import { toJson } from '../../core/lib/text.js';
import { countOf, formatDuration } from '../../core/lib/units.js';
import { describeBreak, describeReturn } from '../../core/member/status-lines.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { toNatspocError } from '../../core/nats/client/outcome.js';
import { closedError, watchConnection } from '../../core/nats/client/watch-connection.js';
import { exportedGroupJson, exportedRowJson } from '../../text/exported-group.js';
import { AllGroups } from '../groups/all-groups.js';
import { missingGroup } from '../groups/missing-group.js';
import { type ExporterFacts, exporterMetrics } from './exporter-metrics.js';
import { type KnownGroup, KnownGroups } from './known-groups.js';

/** The pause after a long reading is this many times as long as the reading, to limit the load. */
const REST = 9;
/** The longest pause after a long reading, in milliseconds. */
const LONGEST_REST_MS = 60_000;
/** The same failure is reported again after this time, in milliseconds. */
const TELL_AGAIN_MS = 60_000;
/** The exporter is not ready if its last complete reading is older than this many intervals. */
const LATE = 3;

/** If the first reading fails with one of these codes, the exporter ends, because it would never have data. */
const FATAL: ReadonlySet<string> = new Set([
  'not-permitted',
  'authentication-failed',
  'layout-mismatch',
  'config',
]);

/** Options of an exporter. */
export interface ExporterOptions {
  connection: NatsConnection;
  config: Config;
  /** Only these groups; empty: all groups of the stream. */
  groups: readonly string[];
  /** Receives lines for people. */
  note: (line: string) => void;
}

/** Reads the groups of a stream at an interval, and serves their state over HTTP. */
export class Exporter implements ExporterFacts {
  readonly #options: ExporterOptions;
  readonly #reader: AllGroups;
  readonly #known: KnownGroups;
  readonly #unwatch: () => void;
  #server: HttpServer | undefined;
  #metrics: MetricRegistry | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #end: { resolve: () => void; reject: (error: NatspocError) => void } | undefined;
  #isClosed = false;
  /** Resolves when the exporter is closed; rejects with the error that ends it. */
  readonly closed: Promise<void>;
  disconnects = 0;
  failures = 0;
  tookMs: number | undefined;
  #readAt: number | undefined;
  #brokenAt: number | undefined;
  #failure: { message: string; since: number; toldAt: number } | undefined;

  private constructor(options: ExporterOptions) {
    this.#options = options;
    const { connection, config, groups } = options;
    this.#reader = new AllGroups(connection, config);
    this.#known = new KnownGroups(config.drainTargetMs, groups);
    this.closed = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.closed.catch(() => {});
    this.#unwatch = this.#watchConnection();
  }

  /**
   * Starts to listen, and reads the groups once.
   *
   * @throws NatspocError `config` if the exporter cannot listen; the error of the first reading, if waiting would not help.
   */
  static async open(options: ExporterOptions): Promise<Exporter> {
    const exporter = new Exporter(options);
    const { exporterPort: port, exporterHost: host, stream } = options.config;
    try {
      exporter.#metrics = await exporterMetrics(stream, exporter);
      exporter.#server = await HttpServer.open({ port, host }, 'the exporter', (path) =>
        exporter.#answer(path),
      );
      await exporter.read();
      await Promise.race([exporter.closed, Promise.resolve()]);
    } catch (error) {
      await exporter.close();
      throw error;
    }
    return exporter;
  }

  /** The address on which the exporter listens. */
  get url(): string {
    return this.#server?.url ?? '';
  }

  get groups(): readonly KnownGroup[] {
    return this.#known.all;
  }

  now(): number {
    return performance.now();
  }

  /** Reads the groups now. If a reading is already running, waits for that reading instead. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.#plan();
    });
    return this.#reading;
  }

  /** Stops reading and listening. The caller closes the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#unwatch();
    this.#end?.resolve();
    await this.#server?.close();
  }

  /** Why the served data may be wrong; empty: it is up to date. */
  problems(): string[] {
    const { stream } = this.#options.config;
    const since = (at: number): string => formatDuration(this.now() - at);
    if (this.#brokenAt !== undefined) return [`no connection to NATS for ${since(this.#brokenAt)}`];
    if (this.#failure) return [`for ${since(this.#failure.since)}: ${this.#failure.message}`];
    if (this.#readAt === undefined) return [`stream ${stream} has not been read yet`];
    const isLate = this.now() - this.#readAt > LATE * (this.#intervalMs + (this.tookMs ?? 0));
    return isLate ? [`the last complete reading was ${since(this.#readAt)} ago`] : [];
  }

  get #intervalMs(): number {
    return Math.max(this.#options.config.refreshMs, Math.min(REST * (this.tookMs ?? 0), LONGEST_REST_MS));
  }

  #plan(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.read(), this.#intervalMs);
  }

  async #read(): Promise<void> {
    // Without a connection, each request would wait until the connection is back.
    if (this.#isClosed || this.#brokenAt !== undefined) return;
    const { groups, note, config } = this.#options;
    const wanted = groups.length === 0 ? undefined : new Set(groups);
    const startedAt = this.now();
    try {
      const readings = await this.#reader.read(wanted && ((group) => wanted.has(group)));
      const failed = readings.flatMap((reading) =>
        'error' in reading && !isAboutTheGroup(reading.error) ? [reading.error] : [],
      );
      // The fault is one of the server or of the permissions.
      if (failed[0] && failed.length === readings.length) throw failed[0];
      const { come, gone } = this.#known.replace(readings, this.now());
      if (this.#readAt !== undefined) for (const group of come) note(`group ${group} has appeared`);
      for (const group of gone) note(`group ${group} is gone`);
      if (this.#failure) note(`stream ${config.stream} can be read: ${countOf(readings.length, 'group')}`);
      this.#failure = undefined;
      this.#readAt = this.now();
      this.tookMs = this.#readAt - startedAt;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isClosed || this.#brokenAt !== undefined) return;
    this.failures++;
    const { note, config } = this.#options;
    const explained = toNatspocError(error, `read the state of stream ${config.stream}`);
    if (this.#readAt === undefined && FATAL.has(explained.code)) {
      this.#end?.reject(explained);
      return;
    }
    const now = this.now();
    const { message } = explained;
    const before = this.#failure;
    // If the stream or the bucket is missing, no group exists. A server that starts does not know its streams for a moment.
    const isFirst = this.#readAt !== undefined && before === undefined;
    if (explained.code === 'stream-missing' && !isFirst) this.#known.replace([], now);
    const isNew = !before || before.message !== message || now - before.toldAt >= TELL_AGAIN_MS;
    if (isNew) note(`cannot read the groups: ${message} Trying again.`);
    this.#failure = { message, since: before?.since ?? now, toldAt: isNew ? now : before.toldAt };
  }

  #watchConnection(): () => void {
    const { connection, note } = this.#options;
    return watchConnection(connection, {
      disconnected: (about) => {
        if (this.#brokenAt !== undefined) return;
        this.#brokenAt = this.now();
        this.disconnects++;
        note(describeBreak(about));
      },
      reconnected: (server) => {
        note(describeReturn({ server, afterMs: this.now() - (this.#brokenAt ?? this.now()) }));
        this.#brokenAt = undefined;
        void this.read();
      },
      closed: (error) => {
        if (!this.#isClosed) this.#end?.reject(closedError(error));
      },
    });
  }

  /** The group, with the reason if its values may be old. */
  #dated(known: KnownGroup): KnownGroup {
    return { ...known, stale: known.stale ?? this.problems()[0] ?? null };
  }

  async #answer(path: string): Promise<HttpAnswer> {
    const { stream } = this.#options.config;
    const metrics = this.#metrics;
    const common = metrics && (await commonAnswer(path, () => this.problems(), metrics));
    if (common) return common;
    if (path === '/groups') {
      const groups = this.groups.map((known) => exportedRowJson(this.#dated(known), this.now()));
      return json(200, { stream, groups });
    }
    const [, name] = /^\/groups\/([^/]+)$/.exec(path) ?? [];
    if (name === undefined) return plain(404, 'Try /metrics, /groups, /groups/NAME, /livez or /readyz.');
    const known = this.#known.get(name);
    if (known) return json(200, exportedGroupJson(stream, this.#dated(known), this.now()));
    if (this.#readAt === undefined) return json(503, { error: this.problems().join('; ') });
    const others = this.groups.map(({ group }) => group);
    return json(404, { error: missingGroup(this.#options.config, name, others).message });
  }
}

const json = (status: number, body: object): HttpAnswer => ({
  status,
  body: `${toJson(body)}\n`,
  type: 'application/json; charset=utf-8',
});

/** The first line of the log: the exported groups, and the address. */
export function introduce(exporter: Exporter, { stream, refreshMs }: Config): string {
  const groups = countOf(exporter.groups.length, 'group');
  return `exporting ${groups} of stream ${stream} at ${exporter.url}, read every ${formatDuration(refreshMs)}`;
}
