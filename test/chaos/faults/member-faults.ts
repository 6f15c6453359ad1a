import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind } from '../recording/records.js';
import type { Member } from '../stage/members.js';
import { canSpare, type Fault, type Field, victim } from './field.js';

/** A generous timeout of a join, in milliseconds. The machine can be busy. */
const JOIN_TIMEOUT_MS = 120_000;

const kill: Fault = {
  kind: 'kill',
  isPossible: canSpare,
  async strike(field) {
    const member = victim(field);
    const end = field.recording.fault('kill', member.name);
    await field.members.kill(member);
    end('killed');
  },
};

/**
 * Stops a process with SIGSTOP, and continues it with SIGCONT after `ms`. A sleeping laptop or a migrated virtual machine behaves like
 * this.
 */
async function stop(field: Field, kind: FaultKind, ms: number): Promise<void> {
  const member = victim(field);
  member.state = 'stopped';
  const end = field.recording.fault(kind, member.name);
  member.cli.signal('SIGSTOP');
  await sleep(ms);
  member.cli.signal('SIGCONT');
  member.state = 'idle';
  end(`continued after ${Math.round(ms)} ms`);
}

/** A stop that is too short to be detected. No partition moves. */
const shortStop: Fault = {
  kind: 'short-stop',
  isPossible: canSpare,
  strike: (field) => stop(field, 'short-stop', field.random.between(0.05, 0.55) * field.ttlMs),
};

/** A stop that is longer than the ttl. Other members take over. After its wake-up, the process must handle nothing under its old epochs. */
const longStop: Fault = {
  kind: 'long-stop',
  isPossible: canSpare,
  strike: (field) => stop(field, 'long-stop', field.random.between(1.2, 1.8) * field.ttlMs),
};

const leaves = ({ rejoins }: Member): boolean => !rejoins;
const rejoins = (member: Member): boolean => member.rejoins;

/** SIGTERM: the member hands all partitions over and exits with 0. */
const leave: Fault = {
  kind: 'leave',
  isPossible: (field) => canSpare(field) && field.members.idle.some(leaves),
  async strike(field) {
    const member = victim(field, leaves);
    const end = field.recording.fault('leave', member.name);
    const code = await field.members.leave(member);
    end(`exit code ${code}`);
  },
};

/** A rolling restart of one member. Its partitions wait for its next process. */
const restart: Fault = {
  kind: 'restart',
  isPossible: (field) =>
    canSpare(field) && !field.serverDown && !field.restarting && field.members.idle.some(rejoins),
  async strike(field) {
    const { members, recording } = field;
    const member = victim(field, rejoins);
    field.restarting = true;
    const end = recording.fault('restart', member.name);
    const code = await members.leave(member);
    const next = members.restart(member);
    next.state = 'joining';
    end(`exit code ${code}, ${next.name} ${await joined(next)}`);
    next.state = 'idle';
    field.restarting = false;
  },
};

/** Waits until a member has joined or failed, and returns which. */
function joined({ cli }: Member): Promise<string> {
  const noted = cli.note(/^joined\b/, JOIN_TIMEOUT_MS).then(() => 'joined');
  return Promise.race([noted, cli.exited.then(() => 'ended')]).catch(() => 'did not join');
}

/** A new member joins. Half of the new members have their own network. */
const join: Fault = {
  kind: 'join',
  isPossible: ({ members, mostMembers, serverDown }) => !serverDown && members.present.length < mostMembers,
  async strike({ members, recording, random }) {
    const member = await members.start(random.chance(0.5));
    // A member that finds no server at its start ends with an error. So no server is killed while a member is `joining`.
    member.state = 'joining';
    const end = recording.fault('join', member.name);
    end(await joined(member));
    member.state = 'idle';
  },
};

/** A network that silently drops everything for some time. */
const cut: Fault = {
  kind: 'cut',
  isPossible: (field) => canSpare(field) && field.members.idle.some(({ proxies }) => proxies.length > 0),
  async strike(field) {
    const { random, recording, ttlMs } = field;
    const member = victim(field, ({ proxies }) => proxies.length > 0);
    member.state = 'cut';
    const ms = random.chance(0.5) ? random.between(100, 1_500) : random.between(0.8, 1.6) * ttlMs;
    const end = recording.fault('cut', member.name);
    for (const proxy of member.proxies) proxy.silence();
    await sleep(ms);
    for (const proxy of member.proxies) proxy.heal();
    member.state = 'idle';
    end(`healed after ${Math.round(ms)} ms`);
  },
};

/** Faults of single members. */
export const memberFaults: readonly Fault[] = [kill, shortStop, longStop, leave, restart, join, cut];
