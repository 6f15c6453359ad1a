import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingName } from '../../../src/core/config/settings.js';
import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import { keys } from '../../../src/core/protocol/keys.js';
import { partitionOf } from '../../../src/core/protocol/layout.js';
import { decodeGroupLayout, type GroupLayoutRecord } from '../../../src/core/protocol/layout-records.js';
import { startsAt } from '../../../src/core/protocol/partition-start.js';
import { decodePosition, type PositionRecord } from '../../../src/core/protocol/position-records.js';
import { type Cli, type CliExit, runCli, stopAll } from '../../support/cli.js';
import { GroupRun } from '../../support/group-run.js';
import { until } from '../../support/until.js';
import { readConfirmed } from '../recording/history.js';
import { Recording } from '../recording/recording.js';
import { type FaultKind, PUBLISHER, type RunSettings, TWIN } from '../recording/records.js';
import { type Publisher, startPublisher } from '../traffic/traffic.js';
import { type Member, Members } from './members.js';
import { Servers } from './servers.js';

/** Options of a stage. Times are in milliseconds. */
export interface StageOptions {
  seed: number;
  minutes: number;
  /** Messages per second. */
  rate: number;
  /** 1 for a single server. A larger number is the size of a cluster. */
  servers: number;
  partitions: number;
  ttlMs: number;
  /** True for a keyed group over a stream that a plain client fills. */
  keyed?: boolean | undefined;
  /** The kinds of faults to play. Default: all. */
  faults?: readonly FaultKind[] | undefined;
  /** An empty folder for the records. */
  folder: string;
  nodeArgs?: readonly string[];
  tell: (line: string) => void;
  /** Ends the run early but cleanly. */
  signal: AbortSignal;
}

const DRAIN_TIMEOUT_MS = 1_500;
const COMMIT_INTERVAL_MS = 200;
const CLUSTER_TIMEOUT_MS = 60_000;
const SERVER_TIMEOUT_MS = 10_000;
/** A process must start within this time, even on a busy machine. */
const START_TIMEOUT_MS = 180_000;
/** After the publisher has stopped, the remaining messages must be handled within this time. */
const CATCH_UP_TIMEOUT_MS = 60_000;
/** If the group is not at rest after twice the ttl plus this time, the run continues anyway. */
const REST_SLACK_MS = 20_000;

/** Real servers, a real publisher and a group of real members. All processes are recorded. */
export class Stage {
  readonly recording: Recording;
  readonly servers: Servers;
  readonly run: GroupRun;
  readonly members: Members;
  readonly #options: StageOptions;
  /** The harness's view of each partition's position and of the group's layout. */
  readonly #positions = new Map<number, PositionRecord>();
  #layout: GroupLayoutRecord | undefined;
  #traffic: Publisher | undefined;

  private constructor(options: StageOptions, recording: Recording, servers: Servers, run: GroupRun) {
    this.#options = options;
    this.recording = recording;
    this.servers = servers;
    this.run = run;
    const retries = ['--max-attempts', '1000', '--backoff', '20ms..200ms'];
    this.members = new Members({
      servers,
      recording,
      args: [...run.args, ...retries],
      nodeArgs: options.nodeArgs ?? [],
    });
    recording.watch(run.topology.bucket, run.config.group, (entry) => this.#note(entry));
  }

  /** Starts the servers, and creates the stream and the bucket. {@link close} ends all processes. */
  static async open(options: StageOptions): Promise<Stage> {
    const recording = new Recording(options.folder);
    const servers = await Servers.start(options.servers);
    try {
      const run = await openGroup(servers, options);
      recording.settings(settingsOf(options, run, servers, recording.now()));
      return new Stage(options, recording, servers, run);
    } catch (error) {
      await servers.stop();
      recording.close();
      throw error;
    }
  }

  /**
   * Opens a twin: a group of the same name on the same stream, with another bucket. The groups must not affect each other. Server faults
   * hit both. The twin is judged separately, from the folder `twin`.
   */
  static async twinOf(stage: Stage): Promise<Stage> {
    const { servers, recording } = stage;
    const options = { ...stage.#options, folder: join(recording.folder, TWIN) };
    const twin = new Recording(options.folder);
    const { stream, prefix } = stage.run.config;
    const place = { stream, bucket: `${stream}_twin`, ...(!options.keyed && { prefix }) };
    const run = await openGroup(servers, options, place);
    twin.settings(settingsOf(options, run, servers, twin.now()));
    recording.mirror = twin;
    return new Stage(options, twin, servers, run);
  }

  get partitions(): number {
    return this.#layout?.partitions ?? this.#options.partitions;
  }

  get publisher(): Cli | undefined {
    return this.#traffic?.publisher;
  }

  /** Starts the first members, and waits until they share the partitions. @throws if they do not. */
  async populate(far: readonly boolean[]): Promise<Member[]> {
    const members: Member[] = [];
    for (const each of far) members.push(await this.members.start(each));
    await this.shared(members);
    return members;
  }

  /** Resolves when these members share the partitions. @throws if that takes too long. */
  async shared(members: readonly Member[]): Promise<void> {
    const names = members.map(({ memberName }) => memberName);
    const { partitions, signal } = this.#options;
    if (!(await this.run.ownership.balanced(names, partitions, START_TIMEOUT_MS, signal))) {
      const notes = members.map(({ name, cli }) => `${name}: ${cli.stderr.slice(-3).join(' | ')}`).join('\n');
      throw new Error(`the members do not share the partitions\n${notes}`);
    }
  }

  /**
   * Starts the publisher, and resolves when messages are confirmed. The returned signal aborts when the run should end or the publisher has
   * ended. Call this only while the servers run. A publisher that finds no server ends with an error.
   */
  async startTraffic(seed: number, options: { keys: number; mostPadding: number }): Promise<AbortSignal> {
    const { recording, servers, run } = this;
    recording.processes.write(['spawn', recording.now(), PUBLISHER]);
    const { keyed: isKeyed, partitions } = this.#options;
    const traffic = startPublisher({
      ...options,
      seed,
      rate: this.#options.rate,
      urls: servers.urls,
      confirmedFile: recording.confirmedFile,
      nodeArgs: this.#options.nodeArgs ?? [],
      args: run.args.filter((arg) => /^--(stream|prefix)=/.test(arg)),
      keyed: isKeyed ? { stream: run.config.stream, partitions } : undefined,
    });
    this.#traffic = traffic;
    const ended = new AbortController();
    void traffic.exited.then(() => ended.abort());
    const signal = AbortSignal.any([this.#options.signal, ended.signal]);
    const flows = (): boolean =>
      (statSync(recording.confirmedFile, { throwIfNoEntry: false })?.size ?? 0) > 0;
    await until('messages are confirmed', () => flows() || signal.aborted, START_TIMEOUT_MS);
    return signal;
  }

  /** Restarts the watch. Entries may have vanished without a deletion marker. */
  lookAgain(): void {
    this.recording.lookAgain();
    this.run.lookAgain();
  }

  command(args: readonly string[]): Promise<CliExit> {
    return runCli([...args, '--server', this.servers.urls, '--stream', this.run.config.stream]);
  }

  /** Waits until the group is at rest. After a timeout the run continues, and the judge reports the delay. */
  async rest(): Promise<void> {
    const { signal, tell, ttlMs, partitions } = this.#options;
    const withinMs = 2 * ttlMs + REST_SLACK_MS;
    const names = this.members.present.map(({ memberName }) => memberName);
    if ((await this.run.ownership.balanced(names, partitions, withinMs, signal)) || signal.aborted) return;
    tell(`the group is not at rest after ${withinMs / 1_000} s`);
  }

  async finish(): Promise<void> {
    if (this.#traffic) await this.#stopTraffic(this.#traffic);
    await this.#leaveAtEnd();
  }

  /** Finishes a twin after its stage. Copies the stage's list of confirmed messages, and lets the twin's members leave. */
  async finishAfter({ recording }: Stage): Promise<void> {
    copyFileSync(recording.confirmedFile, this.recording.confirmedFile);
    await this.#leaveAtEnd();
  }

  async #stopTraffic(traffic: Publisher): Promise<void> {
    const { recording } = this;
    recording.processes.write(['leave', recording.now(), PUBLISHER]);
    const exit = await traffic.stop();
    recording.processes.write(['exit', recording.now(), PUBLISHER, exit.code, exit.signal, exit.stderr]);
  }

  async #leaveAtEnd(): Promise<void> {
    const { recording, members } = this;
    await this.#caughtUp();
    recording.processes.write(['calm', recording.now()]);
    await Promise.all(members.present.map((member) => members.leave(member)));
    await members.settled();
  }

  /** Closes a twin. Its servers belong to its stage and stay open. */
  async closeBeside(): Promise<void> {
    await this.run.close();
    this.recording.close();
  }

  async close(): Promise<void> {
    await stopAll();
    await this.run.close();
    await this.servers.stop();
    this.recording.close();
  }

  #note({ key, value }: BucketEntry): void {
    const { group } = this.run.config;
    if (!value) return;
    if (key === keys.groupLayout(group)) this.#layout = decodeGroupLayout(value) ?? this.#layout;
    const position = key.startsWith(keys.positionPrefix(group)) && decodePosition(value);
    if (position) this.#positions.set(Number(key.split('.').at(-1)), position);
  }

  #committed(partition: number): number {
    const position = this.#positions.get(partition);
    const { epoch = 0 } = this.#layout ?? {};
    if (position && (position.layout ?? 0) === epoch) return position.seq;
    return this.#layout ? startsAt(partition, this.#layout) : 0;
  }

  async #caughtUp(): Promise<void> {
    const last = new Map<number, number>();
    const isResized = this.#layout?.epoch !== undefined;
    for (const { partition, key, seq } of readConfirmed(this.recording.confirmedFile)) {
      const now = isResized ? partitionOf(key ?? '', this.partitions) : partition;
      last.set(now, Math.max(seq, last.get(now) ?? 0));
    }
    await until(
      'every confirmed message is handled',
      () => [...last].every(([partition, seq]) => this.#committed(partition) >= seq),
      CATCH_UP_TIMEOUT_MS,
    ).catch((error: unknown) => this.#options.tell(String(error)));
  }
}

function settingsOf(options: StageOptions, run: GroupRun, servers: Servers, startUs: number): RunSettings {
  const { seed, minutes, rate, partitions, ttlMs } = options;
  return {
    ...{ startedAt: new Date().toISOString(), startUs, seed, minutes, rate, partitions, ttlMs },
    group: run.config.group,
    keyed: options.keyed ?? false,
    servers: options.servers,
    serverVersion: servers.all[0]?.version ?? '',
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    commitIntervalMs: COMMIT_INTERVAL_MS,
  };
}

async function openGroup(
  servers: Servers,
  options: StageOptions,
  more: Partial<Record<SettingName, string>> = {},
): Promise<GroupRun> {
  const flags = {
    ...more,
    ...(options.keyed && { key: 'subject:2' }),
    partitions: String(options.partitions),
    ttlMs: `${options.ttlMs}ms`,
    drainTimeoutMs: `${DRAIN_TIMEOUT_MS}ms`,
    commitIntervalMs: `${COMMIT_INTERVAL_MS}ms`,
    replicas: String(options.servers),
  };
  let run: GroupRun | undefined;
  let last: unknown;
  await until(
    'the servers accept streams',
    async () => {
      run = await GroupRun.open(servers.urls, options.folder, flags).catch((error: unknown) => {
        last = error;
        return undefined;
      });
      return run !== undefined;
    },
    servers.isCluster ? CLUSTER_TIMEOUT_MS : SERVER_TIMEOUT_MS,
  ).catch(() => {});
  if (!run) throw last;
  return run;
}
