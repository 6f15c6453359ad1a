import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from '../../support/server.js';
import type { FaultKind } from '../recording/records.js';
import type { Fault, Field } from './field.js';

/** Kills a server, and later starts it with the same store. Resolves when every replica is complete again. */
export async function restart(
  field: Pick<Field, 'servers' | 'random' | 'recording' | 'manager' | 'streams' | 'serverDown'>,
  kind: FaultKind,
  server: TestServer,
): Promise<void> {
  const { servers, random, recording, manager, streams } = field;
  field.serverDown = true;
  const end = recording.fault(kind, servers.nameOf(server));
  const downMs = random.between(50, 1_500);
  await server.kill();
  await sleep(downMs);
  await server.start();
  await servers.complete(manager, streams);
  field.serverDown = false;
  end(`back after ${Math.round(downMs)} ms`);
}

/** True if no server is down, and no process is connecting for the first time. */
const isPossible = ({ serverDown, restarting, members }: Field): boolean =>
  !serverDown && !restarting && members.present.every(({ state }) => state !== 'joining');

const serverKill: Fault = {
  kind: 'server-kill',
  isPossible,
  strike: (field) => restart(field, 'server-kill', field.random.oneOf(field.servers.all) as TestServer),
};

/** Kills the leader of the bucket or of the stream in a cluster. */
const leaderKill: Fault = {
  kind: 'leader-kill',
  isPossible: (field) => field.servers.isCluster && isPossible(field),
  async strike(field) {
    const stream = field.random.pick(field.streams);
    field.serverDown = true;
    const leader = await field.servers.leaderOf(field.manager, stream).catch(() => undefined);
    field.serverDown = false;
    if (leader) await restart(field, 'leader-kill', leader);
  },
};

/**
 * Cuts the routes between one server of a cluster and the others, in one direction or both, and repairs them later. The clients of this
 * server stay connected. Often this server is a leader on purpose. An isolated leader of the bucket still answers reads for seconds.
 */
const routeCut: Fault = {
  kind: 'route-cut',
  isPossible: (field) => field.servers.isCluster && isPossible(field),
  async strike(field) {
    const { random, servers, manager, streams, recording } = field;
    field.serverDown = true;
    const leader = random.chance(0.6)
      ? await servers.leaderOf(manager, random.pick(streams)).catch(() => undefined)
      : undefined;
    const server = leader ?? (random.oneOf(servers.all) as TestServer);
    const direction = random.pick(['both', 'both', 'out', 'in'] as const);
    const manner = direction === 'both' && random.chance(0.5) ? 'refused' : 'held';
    const ms = random.chance(0.7) ? random.between(2_000, 12_000) : random.between(12_000, 40_000);
    const end = recording.fault('route-cut', `${servers.nameOf(server)} ${direction} ${manner}`);
    const heal = servers.cut(server, { direction, manner });
    await sleep(ms);
    heal();
    await servers.complete(manager, streams);
    field.serverDown = false;
    end(`healed after ${Math.round(ms)} ms${leader ? ', a leader' : ''}`);
  },
};

/** Faults of servers. */
export const serverFaults: readonly Fault[] = [serverKill, leaderKill, routeCut];
