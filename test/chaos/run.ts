import { decodePosition } from '../../src/core/group/records.js';
import { bucketStream } from '../../src/core/nats/bucket.js';
import type { BucketEntry } from '../../src/core/ports.js';
import { Random } from '../simulation/model/random.js';
import { runCli, stopAll } from '../support/cli.js';
import { GroupRun } from '../support/group-run.js';
import { until } from '../support/until.js';
import type { Field } from './faults/field.js';
import { disturb } from './faults/schedule.js';
import { readConfirmed } from './recording/history.js';
import { Recording } from './recording/recording.js';
import { Members } from './stage/members.js';
import { Servers } from './stage/servers.js';
import { Traffic } from './traffic/traffic.js';

/** What a run of chaos is made of. */
export interface ChaosOptions {
  seed: number;
  minutes: number;
  /** Messages a second. */
  rate: number;
  /** 1, or the size of a cluster. */
  servers: number;
  partitions: number;
  ttlMs: number;
  /** Where everything is written down; an empty folder. */
  folder: string;
  tell: (line: string) => void;
  signal: AbortSignal;
}

const PUBLISHER = 'publisher';
const KEYS = 64;
const FIRST_MEMBERS = 4;
const MOST_MEMBERS = 6;
const DRAIN_TIMEOUT_MS = 1_500;
const COMMIT_INTERVAL_MS = 200;
/** How often something is said. */
const PROGRESS_MS = 30_000;
/** A new cluster chooses its leaders first. */
const CLUSTER_TIMEOUT_MS = 60_000;
/** What is left when the publisher stops has to be handled in this time. */
const CATCH_UP_TIMEOUT_MS = 60_000;

/** Plays one run and writes everything down; what it was worth is for the judge to say, from the files. */
export async function playChaos(options: ChaosOptions): Promise<void> {
  const { seed, minutes, rate, partitions, ttlMs, folder, tell, signal } = options;
  const random = new Random(seed);
  const recording = new Recording(folder);
  const servers = await Servers.start(options.servers);
  let run: GroupRun | undefined;
  try {
    run = await openGroup(servers, options);
    const { topology, ownership, config, args } = run;
    recording.settings({
      startedAt: new Date().toISOString(),
      startUs: recording.now(),
      seed,
      minutes,
      rate,
      group: config.group,
      partitions,
      servers: options.servers,
      serverVersion: servers.all[0]?.version ?? '',
      ttlMs,
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
      commitIntervalMs: COMMIT_INTERVAL_MS,
    });
    const positions = new Map<number, number>();
    recording.watch(topology.bucket, config.group, (entry) => notePosition(entry, positions));

    const retries = ['--max-attempts', '1000', '--backoff', '20ms..200ms'];
    const members = new Members({ servers, recording, args: [...args, ...retries] });
    const names = (): string[] => members.present.map(({ name }) => name);
    const restTimeoutMs = 2 * ttlMs + 20_000;
    const rest = async (): Promise<void> => {
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(restTimeoutMs)]);
      if (!(await ownership.balanced(names(), partitions, timeout)) && !signal.aborted) {
        tell(`the group is not at rest after ${restTimeoutMs / 1_000} s`);
      }
    };
    for (let i = 0; i < FIRST_MEMBERS; i++) await members.start(i % 2 === 1);
    await rest();
    const { urls } = servers;
    recording.processes.write(['spawn', recording.now(), PUBLISHER]);
    const traffic = new Traffic({
      seed: random.seed(),
      rate,
      keys: KEYS,
      urls,
      confirmedFile: recording.confirmedFile,
      args: args.filter((arg) => /^--(stream|prefix)=/.test(arg)),
    });
    const ended = new AbortController();
    void traffic.exited.then(() => ended.abort());
    const startedAt = performance.now();
    const progress = setInterval(() => {
      const minute = ((performance.now() - startedAt) / 60_000).toFixed(1);
      tell(`minute ${minute} of ${minutes}: ${recording.faultCount} faults, members ${names().join(' ')}`);
    }, PROGRESS_MS);
    const field: Field = {
      random,
      members,
      servers,
      recording,
      manager: topology.manager,
      streams: [topology.stream, bucketStream(config.bucket)],
      partitions,
      ttlMs,
      mostMembers: MOST_MEMBERS,
      serverDown: false,
      paused: new Set(),
      command: (command) => runCli([...command, '--server', urls, '--stream', config.stream]),
    };
    try {
      await disturb({
        field,
        durationMs: minutes * 60_000,
        rest,
        signal: AbortSignal.any([signal, ended.signal]),
      });
      await rest();
    } finally {
      clearInterval(progress);
      recording.processes.write(['leave', recording.now(), PUBLISHER]);
      const { code, signal: by, stderr } = await traffic.stop();
      recording.processes.write(['exit', recording.now(), PUBLISHER, code, by, stderr]);
    }
    await caughtUp(recording.confirmedFile, positions, tell);
    recording.processes.write(['calm', recording.now()]);
    await Promise.all(members.present.map((member) => members.leave(member)));
    await members.settled();
  } finally {
    await stopAll();
    await run?.close();
    await servers.stop();
    recording.close();
  }
}

async function openGroup(servers: Servers, options: ChaosOptions): Promise<GroupRun> {
  const flags = {
    partitions: String(options.partitions),
    ttlMs: `${options.ttlMs}ms`,
    drainTimeoutMs: `${DRAIN_TIMEOUT_MS}ms`,
    commitIntervalMs: `${COMMIT_INTERVAL_MS}ms`,
    replicas: String(options.servers),
  };
  let run: GroupRun | undefined;
  let last: unknown;
  await until(
    'the servers take streams',
    async () => {
      run = await GroupRun.open(servers.urls, options.folder, flags).catch((error: unknown) => {
        last = error;
        return undefined;
      });
      return run !== undefined;
    },
    servers.isCluster ? CLUSTER_TIMEOUT_MS : 5_000,
  ).catch(() => {
    throw last;
  });
  return run as GroupRun;
}

function notePosition({ key, value }: BucketEntry, positions: Map<number, number>): void {
  const position = value && decodePosition(value);
  if (position) positions.set(Number(key.split('.').at(-1)), position.seq);
}

/** Waits until every confirmed message is behind a position. */
async function caughtUp(
  confirmedFile: string,
  positions: ReadonlyMap<number, number>,
  tell: (line: string) => void,
): Promise<void> {
  const last = new Map<number, number>();
  for (const { partition, seq } of readConfirmed(confirmedFile)) {
    last.set(partition, Math.max(seq, last.get(partition) ?? 0));
  }
  await until(
    'everything that is confirmed is handled',
    () => [...last].every(([partition, seq]) => (positions.get(partition) ?? 0) >= seq),
    CATCH_UP_TIMEOUT_MS,
  ).catch((error: unknown) => tell(String(error)));
}
