import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../core/config/config.js';
import { loadConfig } from '../../core/config/config.js';
import type { ConfigSources } from '../../core/config/sources.js';
import { NatspocError } from '../../core/lib/errors.js';
import { connectNats, type NatsConnection } from '../../core/nats/client/connection.js';
import { openTopology, type Topology } from '../../core/nats/stream/topology.js';
import { type ClusterServer, ensureServerBinary, startCluster, startServer } from '../server/index.js';
import type { Verdict } from './judge.js';
import { Ownership } from './ownership.js';
import { type Launcher, NatspocProcess, parseHandled } from './processes.js';
import { type DemoResult, playScenario } from './scenario.js';

/** Options of a demo. */
export interface DemoOptions {
  /** The number of NATS servers. In a cluster, the demo kills one of them. */
  servers: number;
  consumers: number;
  partitions: number;
  /** Messages per second. `rateText` is the same rate for the publisher's flag `--rate`. */
  rate: number;
  rateText: string;
  durationMs: number;
  /** The script of this process. The demo starts its other processes with it. */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** Environment for finding the server. Unlike `env`, it can contain NATS_SERVER_BIN from `.env`. */
  serverEnv: NodeJS.ProcessEnv;
  tell: (line: string) => void;
  /** Shows the group once it exists. The demo calls the returned function before it stops the servers. */
  show?: ((connection: NatsConnection, config: Config) => Promise<() => void>) | undefined;
  signal: AbortSignal;
}

const STREAM = 'EVENTS';
const KEYS = 100;

/** This process's environment without variables that would configure natspoc. */
function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) =>
    /^(PATH|HOME|USER|LANG|LC_.*|TMPDIR|TEMP|TMP|SYSTEMROOT|NODE_.*)$/i.test(name),
  );
  return Object.fromEntries(kept);
}

async function startServers(binary: string, size: number): Promise<ClusterServer[]> {
  if (size > 1) return startCluster({ binary, size });
  return [{ ...(await startServer({ binary })), name: 'the server' }];
}

/** Kills the stream's leader, which is the worst case. Returns its name. */
async function killLeader(servers: readonly ClusterServer[], { manager, stream }: Topology): Promise<string> {
  const { cluster } = await manager.streams.info(stream);
  const leader = servers.find(({ name }) => name === cluster?.leader);
  if (!leader) throw new NatspocError('failed', `Stream ${stream} has no leader.`);
  await leader.kill();
  return leader.name;
}

/** Runs the demo on private servers. At the end, no process and no file remains. */
export async function runDemo(options: DemoOptions): Promise<{ result: DemoResult; verdict: Verdict }> {
  const { tell, signal, partitions } = options;
  const binary = await ensureServerBinary({ env: options.serverEnv, onProgress: tell });
  const folder = mkdtempSync(join(tmpdir(), 'natspoc-demo-'));
  const processes: NatspocProcess[] = [];
  let servers: ClusterServer[] = [];
  let connection: NatsConnection | undefined;
  let hide: (() => void) | undefined;
  try {
    signal.throwIfAborted();
    servers = await startServers(binary, options.servers);
    const url = servers.map((server) => server.url).join(',');
    tell(`nats-server ${servers[0]?.version} with JetStream on ${url}`);
    const sources: ConfigSources = {
      flags: {
        server: url,
        stream: STREAM,
        partitions: String(partitions),
        replicas: String(servers.length),
      },
      env: {},
    };
    const config: Config = loadConfig(sources);
    connection = await connectNats(config, 'natspoc demo');
    const topology = await openTopology(connection, config, { create: true });
    const { bucket, manager } = topology;
    hide = await options.show?.(connection, config);
    const launcher: Launcher = { entry: options.entry, folder, env: cleanEnvironment(options.env) };
    const launch = (name: string, args: string[], onLine: (line: string) => void): NatspocProcess => {
      const process = new NatspocProcess(
        launcher,
        name,
        [...args, '--server', url, '--stream', STREAM],
        onLine,
      );
      processes.push(process);
      return process;
    };
    return await playScenario({
      ...options,
      folder,
      ownership: (onChange) => new Ownership(bucket, config.group, onChange),
      startConsumer: (name, onMessage) => {
        let index = 0;
        return launch(name, ['consume', '--name', name, '--output', 'ndjson'], (line) => {
          const message = parseHandled(line, name, index++, performance.now());
          if (message) onMessage(message);
        });
      },
      startPublisher: (confirmedFile) => {
        const args = [
          '--rate',
          options.rateText,
          '--keys',
          String(KEYS),
          '--confirmed',
          confirmedFile,
          '--dedupe',
          '--quiet',
        ];
        return launch('publisher', ['publish', 'event {{Count}}', ...args], () => {});
      },
      ...(servers.length > 1 && {
        killServer: () => killLeader(servers, topology),
        lastSequence: async () => (await manager.streams.info(STREAM)).state.last_seq,
      }),
    });
  } catch (error) {
    if (signal.aborted)
      throw new NatspocError('failed', 'The demo was stopped before it finished.', { cause: error });
    throw error;
  } finally {
    hide?.();
    await connection?.close();
    for (const process of processes) process.signal('SIGKILL');
    await Promise.all(processes.map((process) => process.exited));
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}
