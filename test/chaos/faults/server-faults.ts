import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from '../../support/server.js';
import type { FaultKind } from '../recording/records.js';
import type { Fault, Field } from './field.js';

/** SIGKILL, and a start on the same store after a while; over when every replica is complete again. */
async function restart(field: Field, kind: FaultKind, server: TestServer): Promise<void> {
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

/** One at a time, and not while somebody connects for the first time. */
const isPossible = ({ serverDown, members }: Field): boolean =>
  !serverDown && members.present.every(({ state }) => state !== 'joining');

const serverKill: Fault = {
  kind: 'server-kill',
  isPossible,
  strike: (field) => restart(field, 'server-kill', field.random.oneOf(field.servers.all) as TestServer),
};

/** The server of a cluster that leads the bucket, or the stream. */
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

/** Faults of servers. */
export const serverFaults: readonly Fault[] = [serverKill, leaderKill];
