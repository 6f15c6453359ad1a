import type { StreamFacts } from '../../src/core/ports/facts.js';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { HoldUp } from '../../src/core/protocol/hold-up.js';
import type { MemberStats, PartitionStats } from '../../src/core/protocol/member-stats.js';
import type { LeaseReason } from '../../src/core/protocol/records.js';
import type { TopEvent, TopEventBody } from '../../src/top/model/events.js';
import { initialModel, type Model } from '../../src/top/model/model.js';
import { reduce } from '../../src/top/model/reduce.js';

/** The start of all recorded logs in these tests. */
export const T0 = Date.UTC(2026, 0, 5, 12, 0, 0);

/** Plays events. Each is [milliseconds since {@link T0}, event]. */
export function play(log: readonly [number, TopEventBody][], from?: Model): Model {
  const events = log.map(([ms, body]): TopEvent => ({ at: T0 + ms, ...body }));
  return events.reduce(reduce, from ?? initialModel(T0));
}

export function session(
  id: string,
  revision: number,
  options: { name?: string; leaving?: boolean; host?: string; startedAt?: string; pid?: number } = {},
): ViewEntry {
  return {
    kind: 'session',
    id,
    revision,
    record: {
      v: 1,
      id,
      name: options.name ?? id,
      host: options.host ?? 'here',
      pid: options.pid ?? 4_242,
      version: '1.0.0',
      startedAt: options.startedAt ?? new Date(T0).toISOString(),
      ttlMs: 10_000,
      suspectMs: 800,
      ...(options.leaving && { leaving: true }),
    },
  };
}

export const gone = (id: string, revision: number): ViewEntry => ({
  kind: 'session',
  id,
  revision,
  record: null,
});

export function lease(
  partition: number,
  revision: number,
  owner: string | null,
  options: { reason?: LeaseReason; from?: string | null; at?: string } = {},
): ViewEntry {
  const { reason = 'claim', from = null, at = new Date(T0).toISOString() } = options;
  return {
    kind: 'lease',
    partition,
    revision,
    record: { v: 1, owner, name: owner ?? '', reason, from, at },
  };
}

export function override(
  partition: number,
  revision: number,
  wish: { pin?: string; paused?: boolean },
): ViewEntry {
  const { pin = null, paused = false } = wish;
  const record = { v: 1, pin, paused, by: 'somebody', at: new Date(T0).toISOString() };
  return { kind: 'override', partition, revision, record };
}

export function stats(
  id: string,
  options: Partial<MemberStats> & { partitions?: PartitionStats[] } = {},
): MemberStats {
  return {
    v: 1,
    session: id,
    name: id,
    group: 'g',
    stream: 'S',
    host: 'here',
    pid: 4_242,
    version: '1.0.0',
    startedAt: new Date(T0).toISOString(),
    uptimeMs: 1_000,
    partitions: [],
    handled: 0,
    failed: 0,
    memory: {
      allocBytes: 20_000_000,
      totalAllocBytes: 90_000_000,
      sysBytes: 70_000_000,
      numGc: 12,
      verdict: 'stable',
    },
    ...options,
  };
}

export function streamFacts(partitions: number, options: Partial<StreamFacts> = {}): StreamFacts {
  return {
    name: 'S',
    subjects: ['s.p.*'],
    messages: 100,
    bytes: 10_000,
    firstSequence: 1,
    lastSequence: 100,
    consumers: partitions,
    storage: 'file',
    replicas: 1,
    leader: null,
    followers: [],
    maxMessages: null,
    maxBytes: null,
    maxAgeMs: null,
    duplicateWindowMs: 120_000,
    firstAtMs: null,
    lastAtMs: null,
    counts: Array.from({ length: partitions }, () => Math.floor(100 / partitions)),
    ...options,
  };
}

/** A group of `members` a, b, … that share `partitions`. It is first seen at 0 ms. */
export function group(members: number, partitions: number): [number, TopEventBody][] {
  const ids = Array.from({ length: members }, (_, i) => String.fromCharCode(97 + i));
  const entries = [
    ...ids.map((id, i) => session(id, i + 1)),
    ...Array.from({ length: partitions }, (_, p) => lease(p, 100 + p, ids[p % members] ?? null)),
  ];
  return [
    [
      0,
      { type: 'target', target: { servers: ['nats://h:4222'], stream: 'S', group: 'g', bucket: 'S_leases' } },
    ],
    [0, { type: 'connected', server: 'h:4222', version: '2.10.0' }],
    [0, { type: 'found', partitions, prefix: 's' }],
    [0, { type: 'snapshot', entries }],
    [0, { type: 'stream', facts: streamFacts(partitions) }],
  ];
}

/** A message that has been retried for three minutes. */
export const HELD_UP: HoldUp = {
  ...{ why: 'retrying', sequence: 95_887, key: 'user-7', attempt: 7, maxAttempts: 100, nextInMs: 12_000 },
  ...{ reason: 'connection refused', forMs: 180_000, others: 0 },
};
