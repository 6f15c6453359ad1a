import { hostname } from 'node:os';
import { systemClock } from './clock.js';
import type { Config } from './config.js';
import type { Handler } from './consume/handler.js';
import type { FailurePolicy } from './consume/retry.js';
import { NatspocError } from './errors.js';
import { timingFor, unsafeTiming } from './group/timing.js';
import { Member, type MemberEvents } from './member.js';
import type { NatsConnection } from './nats/connection.js';
import { MicroIdentities, MicroProber, NatsLink } from './nats/control.js';
import { NatsEventStream } from './nats/event-stream.js';
import { openTopology } from './nats/topology.js';

/** What a member of a group is made of. */
export interface JoinOptions {
  connection: NatsConnection;
  config: Config;
  /** Shown to people; by default host and pid. */
  name?: string | undefined;
  /** Version of the program, a semantic version. */
  version: string;
  handler: Handler;
  /** Awaited before each commit: resolves when the effects of what was handled are safe. */
  barrier?: (() => Promise<void> | undefined) | undefined;
  failure: FailurePolicy;
  events: MemberEvents;
  /** What the member's micro service answers to STATS, beside what the standard asks for. */
  stats: (member: Member) => unknown;
}

/**
 * Joins a group: creates stream, bucket and layout where they are missing, and starts a member. The
 * connection stays the caller's to close.
 *
 * @throws NatspocError where the group cannot be joined: layout mismatch, unsafe times, no permission.
 */
export async function joinGroup(options: JoinOptions): Promise<Member> {
  const { connection, config, version } = options;
  const timing = timingFor(config.ttlMs, config.probeIntervalMs);
  const unsafe = unsafeTiming(timing);
  if (unsafe) throw new NatspocError('config', `These times are not safe together: ${unsafe}.`);

  const topology = await openTopology(connection, config, { create: true });
  const host = hostname();
  const name = options.name ?? `${host}-${process.pid}`;
  const { group, stream } = config;
  const member: Member = new Member(
    {
      group,
      name,
      host,
      pid: process.pid,
      version,
      partitions: topology.layout.partitions,
      timing,
      from: config.from,
      runner: {
        commit: { intervalMs: config.commitIntervalMs, every: config.commitEvery },
        failure: options.failure,
        drainTimeoutMs: config.drainTimeoutMs,
      },
      budget: { messages: config.bufferMessages, bytes: config.bufferBytes },
      seed: Math.floor(Math.random() * 0xffffffff),
    },
    {
      bucket: topology.bucket,
      stream: new NatsEventStream(topology, stream, topology.layout.prefix),
      prober: new MicroProber(connection, Math.max(100, config.probeIntervalMs)),
      identities: new MicroIdentities(connection, {
        version,
        metadata: { group, stream, host, pid: String(process.pid), name },
        stats: () => options.stats(member),
      }),
      link: new NatsLink(connection),
      clock: systemClock,
      handler: options.handler,
      barrier: options.barrier,
    },
    options.events,
  );
  member.start();
  return member;
}
