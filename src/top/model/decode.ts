/** Decodes the events of a recording. A recording can come from anywhere, so every value is checked. */

import type {
  DeadLetterFacts,
  JobFacts,
  MessageFacts,
  PastEntry,
  StreamFacts,
} from '../../core/ports/facts.js';
import type { ProofEntry, ViewEntry } from '../../core/protocol/events.js';
import { decodeGroupLayout, type GroupLayoutRecord } from '../../core/protocol/layout-records.js';
import { decodeMemberStats, type MemberStats } from '../../core/protocol/member-stats.js';
import { MAX_PARTITIONS } from '../../core/protocol/record-format.js';
import {
  decodeLease,
  decodeOverride,
  type LeaseRecord,
  type OverrideRecord,
  type SessionRecord,
} from '../../core/protocol/records.js';
import type { Target, TopEvent } from './events.js';

type Is<T> = (value: unknown) => value is T;
type Fields<T> = { [K in keyof T]-?: Is<T[K]> };

const MAX_TIME_MS = 8.64e15;

const text: Is<string> = (value) => typeof value === 'string';
const yes: Is<boolean> = (value) => typeof value === 'boolean';
const amount: Is<number> = (value): value is number => Number.isFinite(value);
const count: Is<number> = (value): value is number =>
  amount(value) && Number.isSafeInteger(value) && value >= 0;
const time: Is<number> = (value): value is number => amount(value) && Math.abs(value) <= MAX_TIME_MS;
const partition: Is<number> = (value): value is number => count(value) && value < MAX_PARTITIONS;
const partitions: Is<number> = (value): value is number =>
  count(value) && value >= 1 && value <= MAX_PARTITIONS;

const exactly =
  <T extends string | null>(...known: readonly T[]): Is<T> =>
  (value): value is T =>
    known.some((each) => each === value);
const exactlyTrue: Is<true> = (value): value is true => value === true;
const either =
  <A, B>(a: Is<A>, b: Is<B>): Is<A | B> =>
  (value): value is A | B =>
    a(value) || b(value);
const orNull = <T>(is: Is<T>): Is<T | null> => either(is, exactly(null));
const optional =
  <T>(is: Is<T>): Is<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || is(value);
const list =
  <T>(is: Is<T>, most = Number.POSITIVE_INFINITY): Is<T[]> =>
  (value): value is T[] =>
    Array.isArray(value) && value.length <= most && value.every(is);
const object =
  <T extends object>(fields: Fields<T>): Is<T> =>
  (value): value is T => {
    if (typeof value !== 'object' || value === null) return false;
    const own = new Map<string, unknown>(Object.entries(value));
    return Object.entries<Is<unknown>>(fields).every(([name, is]) => is(own.get(name)));
  };

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
// A recording is only displayed, so any version is accepted.
const session = object<SessionRecord>({
  v: count,
  id: text,
  name: text,
  host: text,
  pid: count,
  version: text,
  startedAt: text,
  ttlMs: amount,
  suspectMs: amount,
  leaving: optional(yes),
  resizes: optional(yes),
  gaveUp: optional(text),
});
const lease: Is<LeaseRecord> = (value): value is LeaseRecord => decodeLease(bytesOf(value)) !== undefined;
const override: Is<OverrideRecord> = (value): value is OverrideRecord =>
  decodeOverride(bytesOf(value)) !== undefined;
const memberStats: Is<MemberStats> = (value): value is MemberStats => decodeMemberStats(value) !== undefined;

const noRecord = exactly('unreadable', null);
type Of<K> = Extract<ViewEntry, { kind: K }>;
const sessionEntry = object<Of<'session'>>({
  kind: exactly('session'),
  id: text,
  revision: count,
  record: either(session, noRecord),
});
const leaseEntry = object<Of<'lease'>>({
  kind: exactly('lease'),
  partition,
  revision: count,
  record: either(lease, noRecord),
});
const overrideEntry = object<Of<'override'>>({
  kind: exactly('override'),
  partition,
  revision: count,
  record: either(override, noRecord),
});
const layoutRecord: Is<GroupLayoutRecord> = (value): value is GroupLayoutRecord =>
  decodeGroupLayout(bytesOf(value)) !== undefined;
const layoutEntry = object<Of<'layout'>>({
  kind: exactly('layout'),
  revision: count,
  record: either(layoutRecord, noRecord),
});
const entry: Is<ViewEntry> = either(either(sessionEntry, leaseEntry), either(overrideEntry, layoutEntry));
const proof = object<ProofEntry>({ kind: exactly('proof'), id: text, revision: count, ended: yes });
const past = object<PastEntry>({ atMs: time, entry: either(entry, proof) });

const streamFacts = object<StreamFacts>({
  name: text,
  subjects: list(text),
  messages: count,
  bytes: count,
  firstSequence: count,
  lastSequence: count,
  firstAtMs: orNull(time),
  lastAtMs: orNull(time),
  createdAtMs: optional(time),
  consumers: count,
  storage: exactly('file', 'memory'),
  replicas: count,
  leader: orNull(text),
  followers: list(object({ name: text, current: yes })),
  maxMessages: orNull(amount),
  maxBytes: orNull(amount),
  maxAgeMs: orNull(amount),
  duplicateWindowMs: orNull(amount),
  counts: list(count, MAX_PARTITIONS),
  uncovered: optional(object({ messages: count, example: orNull(text) })),
});
const lastLetter = object<NonNullable<DeadLetterFacts['last']>>({
  partition,
  sequence: count,
  group: text,
  attempts: count,
  error: text,
  at: text,
});
const pair: Is<[string, string]> = (value): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every(text);
const message = object<MessageFacts>({
  sequence: count,
  partition: orNull(partition),
  subject: text,
  atMs: time,
  key: orNull(text),
  headers: optional(list(pair, 64)),
  size: count,
  preview: orNull(text),
});

/** For each type of event, the check of its other fields. Time and type are checked elsewhere. */
const BODIES: { [K in TopEvent['type']]: Is<Omit<Extract<TopEvent, { type: K }>, 'at' | 'type'>> } = {
  target: object({
    target: object<Target>({ servers: list(text), stream: text, group: text, bucket: text }),
  }),
  connected: object({ server: text, version: text }),
  disconnected: object({}),
  reconnecting: object({}),
  'round-trip': object({ ms: amount }),
  missing: object({ message: text }),
  problem: object({ what: text, message: orNull(text) }),
  found: object({ partitions, prefix: text }),
  history: object({ entries: list(past) }),
  snapshot: object({ entries: list(entry) }),
  changes: object({ entries: list(entry) }),
  proofs: object({ proofs: list(past) }),
  stream: object({ facts: streamFacts }),
  'dead-letters': object({
    facts: either(
      exactly('not-permitted'),
      object<DeadLetterFacts>({
        stream: text,
        messages: count,
        bytes: count,
        lastSequence: count,
        last: orNull(lastLetter),
      }),
    ),
  }),
  positions: object({
    positions: list(
      object({
        partition,
        sequence: count,
        epoch: count,
        atMs: time,
        created: optional(time),
        stored: optional(time),
        layout: optional(count),
        sought: optional(exactlyTrue),
        unreadable: optional(exactly('newer', 'broken')),
      }),
    ),
  }),
  ends: object({ ends: list(object({ partition, sequence: count, atMs: time })) }),
  readers: object({
    readers: list(
      object({ partition, epoch: count, deliveredSequence: count, deliveredCount: count, pending: count }),
    ),
  }),
  waiting: object({
    waiting: list(
      object({
        partition,
        after: count,
        count,
        isEstimate: optional(exactlyTrue),
        ofGroup: optional(count),
        storedAtMs: optional(orNull(time)),
      }),
    ),
  }),
  job: object({ job: orNull(object<JobFacts>({ revision: count, atMs: time })) }),
  stats: object({
    facts: object({ members: list(memberStats), gone: list(text), denied: optional(yes) }),
  }),
  messages: object({ messages: list(message) }),
  looked: object({}),
  tick: object({}),
};

const header = object<{ at: number; type: TopEvent['type'] }>({
  at: time,
  type: (value): value is TopEvent['type'] => typeof value === 'string' && Object.hasOwn(BODIES, value),
});

const isEvent: Is<TopEvent> = (value): value is TopEvent => header(value) && BODIES[value.type](value);

/** The event in this value; undefined for an event that this version does not know. */
export function decodeEvent(value: unknown): TopEvent | undefined {
  return isEvent(value) ? value : undefined;
}
