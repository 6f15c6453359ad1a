/** Values as members and servers write them. The fuzzer changes parts of them. */
const at = '2026-11-28T00:00:00.000Z';

export const SESSION = {
  v: 2,
  id: 'AB',
  name: 'n',
  host: 'h',
  pid: 7,
  version: '1.0.0',
  startedAt: at,
  ttlMs: 10_000,
  suspectMs: 800,
  leaving: true,
};
export const LEASE = {
  ...{ v: 3, owner: 'AB', name: 'n', reason: 'claim', from: null, at },
  layout: 1,
  closed: { order: 5, seq: 7, created: 1, trimmed: 2 },
};
export const OVERRIDE = { v: 1, pin: null, paused: true, by: 'me', at };
export const POSITION = { v: 3, seq: 7, epoch: 3, at, layout: 1, sought: true };
export const START = { v: 1, seq: 7, ahead: false, at };
export const JOB = { v: 2, until: 7, at };
export const GROUP_LAYOUT = {
  ...{ v: 3, key: 'subject:2', filter: 'orders.*.>', partitions: 8, hash: 'fnv1a32', epoch: 1 },
  prefix: 'events',
  before: { partitions: 2, positions: [4, 5], created: 1, trimmed: 2 },
  next: { partitions: 4, by: 'me', at },
};
export const LAYOUT = { v: 1, prefix: 'a.b', partitions: 8, hash: 'fnv1a32' };
export const STATS = {
  v: 1,
  session: 'AB',
  name: 'n',
  group: 'g',
  stream: 'EVENTS',
  host: 'h',
  pid: 7,
  version: '1.0.0',
  startedAt: at,
  uptimeMs: 1_000,
  partitions: [
    {
      partition: 1,
      epoch: 2,
      position: 7,
      handled: 3,
      lag: 4,
      ratePerSecond: 1.5,
      state: 'running',
      tookMs: 5,
    },
  ],
  handled: 3,
  failed: 0,
  retried: 0,
  inFlight: 1,
  memory: { allocBytes: 1, totalAllocBytes: 2, sysBytes: 3, numGc: 4, verdict: 'steady' },
  handlerTimes: { samples: 1, meanMs: 1, p50Ms: 1, p99Ms: 1, maxMs: 1 },
};

const T = 1_795_845_811_881;
const session = { kind: 'session', id: 'AB', revision: 2, record: SESSION };
const proof = { kind: 'proof', id: 'AB', revision: 5, ended: false };
const lease = { kind: 'lease', partition: 1, revision: 3, record: LEASE };
const override = { kind: 'override', partition: 1, revision: 4, record: OVERRIDE };

/** One event of each kind that a recording can contain. */
export const EVENTS: readonly unknown[] = [
  { at: T, type: 'target', target: { servers: ['nats://h'], stream: 'EVENTS', group: 'g', bucket: 'b' } },
  { at: T, type: 'connected', server: 'h:4222', version: '2.10.27' },
  { at: T, type: 'disconnected' },
  { at: T, type: 'reconnecting' },
  { at: T, type: 'round-trip', ms: 0.5 },
  { at: T, type: 'missing', message: 'no stream' },
  { at: T, type: 'problem', what: 'readers', message: 'not permitted' },
  { at: T, type: 'found', partitions: 8, prefix: 'a' },
  {
    at: T,
    type: 'history',
    entries: [
      { atMs: T, entry: session },
      { atMs: T, entry: lease },
    ],
  },
  { at: T, type: 'proofs', proofs: [{ atMs: T, entry: proof }] },
  { at: T, type: 'snapshot', entries: [session, lease, override] },
  { at: T + 1_000, type: 'changes', entries: [{ ...session, record: null, revision: 9 }, lease] },
  {
    at: T,
    type: 'stream',
    facts: {
      name: 'EVENTS',
      subjects: ['a.p.*'],
      messages: 9,
      bytes: 99,
      firstSequence: 1,
      lastSequence: 9,
      firstAtMs: T,
      lastAtMs: T,
      consumers: 1,
      storage: 'file',
      replicas: 1,
      leader: 'n1',
      followers: [{ name: 'n2', current: true }],
      maxMessages: null,
      maxBytes: null,
      maxAgeMs: null,
      duplicateWindowMs: 120_000,
      counts: [1, 2, 3],
    },
  },
  {
    at: T,
    type: 'dead-letters',
    facts: {
      stream: 'EVENTS_dead',
      messages: 1,
      bytes: 9,
      lastSequence: 1,
      last: { partition: 1, sequence: 7, group: 'g', attempts: 3, error: 'boom', at },
    },
  },
  { at: T, type: 'positions', positions: [{ partition: 1, sequence: 7, epoch: 3, atMs: T }] },
  { at: T, type: 'ends', ends: [{ partition: 1, sequence: 9, atMs: T }] },
  {
    at: T,
    type: 'readers',
    readers: [{ partition: 1, epoch: 3, deliveredSequence: 8, deliveredCount: 4, pending: 1 }],
  },
  { at: T, type: 'waiting', waiting: [{ partition: 1, after: 7, count: 2 }] },
  { at: T, type: 'stats', facts: { members: [STATS], gone: ['CD'], denied: false } },
  {
    at: T,
    type: 'messages',
    messages: [
      {
        sequence: 9,
        partition: 1,
        subject: 'a.p.1',
        atMs: T,
        key: 'k',
        headers: [['a', 'b']],
        size: 3,
        preview: 'abc',
      },
    ],
  },
  { at: T + 2_000, type: 'looked' },
  { at: T + 3_000, type: 'tick' },
];
