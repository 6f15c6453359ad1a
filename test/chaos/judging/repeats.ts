import { parseObject } from '../../../src/core/lib/json.js';
import { keys } from '../../../src/core/protocol/keys.js';
import { decodeLease, decodeSession } from '../../../src/core/protocol/records.js';
import {
  type BucketChange,
  type Call,
  ERA,
  type History,
  type Life,
  type Span,
} from '../recording/history.js';
import { SERVER_KINDS } from '../recording/records.js';
import { describeCall, describeCallFully } from './describe.js';
import type { Excuse, Overlap } from './exclusive.js';
import type { Layouts, Section } from './layouts.js';
import type { Violation } from './violation.js';

/** The explanation of a repetition. */
export type Cause = 'kill' | 'stop' | 'cut' | 'server' | 'deaf' | 'stall' | 'restored';

/** A message that was handled before. */
export interface Repeat {
  call: Call;
  before: Call;
  cause: Cause;
  /** The time in which the previous owner could have committed the message, in milliseconds. */
  ableMs: number;
}

/** A commit can take this much longer than the commit interval, in milliseconds. */
const COMMIT_SLACK_MS = 300;
/** Tolerance for the measured timeout of a drain, in milliseconds. */
const DRAIN_SLACK_MS = 100;
/** A break of at least this share of the ttl can cost a session. A shorter break explains no repetition. */
const LONG_SHARE = 0.5;
/** An owner aborts its partitions after this share of the ttl without contact. */
const DEADLINE_SHARE = 0.9;

/**
 * Finds messages that were handled again. A repetition in another epoch is excused only if the previous owner lost its permit or died
 * before it could commit. An owner that can commit does so within the commit interval. If the owner had more time than that, the repetition
 * is a violation. While a server or a network fails, a write and the request for its outcome can both be lost. The owner waits a fifth of
 * the ttl for each of these two requests. A handover, a join, a leave, a release, a pause or a failing handler is no excuse. Under one
 * epoch, a message is repeated only if the member abandoned a call whose handler ignored its signal.
 */
export function judgeRepeats(
  history: History,
  layouts: Layouts,
  { calls, isOwn }: Section,
  overlaps: readonly Overlap[],
): { violations: Violation[]; repeats: Repeat[] } {
  const violations: Violation[] = [];
  const repeats: Repeat[] = [];
  const excused = new Map(overlaps.map(({ older, newer, excuse }) => [newer, { older, excuse }]));
  const explain = explainer(history, layouts);
  for (const list of calls) {
    /** By sequence, the last started call that handled the message. It can still run when the next call starts. */
    const handled = new Map<number, Call>();
    for (const call of list) {
      const before = handled.get(call.seq);
      if (call.how === 'handled') handled.set(call.seq, call);
      if (!before || !isOwn(call)) continue;
      const overlap = excused.get(call);
      const isOverlap = before.to > call.from;
      const excuse =
        overlap?.older === before ? overlap.excuse : isOverrun(before, call) ? 'deaf' : undefined;
      const found = isOverlap ? excuse && CAUSES[excuse] : explain(before, call);
      if (found) repeats.push({ call, before, ...found });
      else {
        const text = `${describeCall(call)} repeats a message without an explanation; the earlier call: ${describeCallFully(before)}`;
        violations.push({ charge: 'repeat', at: call.from, partition: call.partition, text });
      }
    }
  }
  return { violations, repeats };
}

/** The explanation of a repetition whose two calls overlap, by the excuse of this overlap. */
const CAUSES: Record<Excuse, Explanation> = {
  stopped: { cause: 'stop', ableMs: 0 },
  stalled: { cause: 'stall', ableMs: 0 },
  deaf: { cause: 'deaf', ableMs: 0 },
  told: { cause: 'deaf', ableMs: 0 },
};

/**
 * True if a resize moved the message to another partition while a handler ignored its signal. Overlaps of different partitions are not
 * judged elsewhere.
 */
const isOverrun = (before: Call, { partition, from }: Call): boolean =>
  before.deaf && before.partition !== partition && before.toldAt !== undefined && before.toldAt <= from;

type Explanation = { cause: Cause; ableMs: number };

/** Makes a function that finds why the process of an earlier call could not commit. */
function explainer(
  history: History,
  layouts: Layouts,
): (before: Call, call: Call) => Explanation | undefined {
  const { settings } = history;
  const budgetMs = settings.commitIntervalMs + COMMIT_SLACK_MS;
  const troublesOf = troubles(history);
  const endOf = tenureEnds(history, layouts);

  return (before, call) => {
    const { process, to: doneAt } = before;
    // The bucket and its positions returned to an older state.
    if (Math.floor(before.epoch / ERA) < Math.floor(call.epoch / ERA))
      return { cause: 'restored', ableMs: 0 };
    if (before.deaf && before.toldAt !== undefined) {
      // The member may have abandoned the call before it succeeded.
      const isGivenUp = doneAt - before.toldAt >= settings.drainTimeoutMs - DRAIN_SLACK_MS;
      if (isGivenUp || before.epoch !== call.epoch) return { cause: 'deaf', ableMs: 0 };
    }
    if (before.epoch === call.epoch) return undefined;
    const tenure = { from: doneAt, to: Math.min(call.from, endOf(before)) };
    const { hindrances, stalls } = troublesOf(process);
    const touching = hindrances.filter(({ from, to }) => from <= tenure.to && to >= tenure.from);
    const starved = covered(stalls, tenure) >= settings.ttlMs * LONG_SHARE;
    const cause = touching.filter(({ canEnd }) => canEnd).at(-1)?.cause ?? (starved ? 'stall' : undefined);
    if (!cause) return undefined;
    const hindered = covered(touching, tenure);
    const stalled = covered([...touching, ...stalls], tenure) - hindered;
    // A stall is subtracted twice. When a process waits for the processor, the server waits as well, and answers later.
    const ableMs = tenure.to - tenure.from - hindered - 2 * stalled;
    return ableMs <= budgetMs ? { cause, ableMs: Math.max(0, ableMs) } : undefined;
  };
}

/** A time in which a process could not commit. If `canEnd` is true, the process may have lost the partition. */
interface Hindrance extends Span {
  cause: Cause;
  canEnd: boolean;
}

function troubles({ settings, faults, lives, bucket }: History) {
  const { ttlMs } = settings;
  const writes = bucket.map((change) => writtenAt(change, settings)).sort((a, b) => a - b);
  // After its servers can reach each other again, a cluster can need several seconds to elect the bucket's leader.
  const usableAt = (healedAt: number): number => writes.find((at) => at >= healedAt) ?? healedAt;
  const recoveryMs = (2 * ttlMs) / 5 + COMMIT_SLACK_MS;
  const isLong = ({ from, to }: Span): boolean => to - from >= ttlMs * LONG_SHARE;
  const servers = faults
    .filter(({ kind }) => SERVER_KINDS.includes(kind))
    .map(({ kind, from, to: healedAt }): Hindrance => {
      const to = usableAt(healedAt);
      // An owner stops when it notices that its session is gone. Its lease can remain until the longest ttl has passed.
      const orphanedMs = kind === 'entries-removed' || kind === 'store-restored' ? ttlMs : 0;
      // After its deadline, an owner has to take its partitions over again before it can commit.
      const abortedMs = to - from >= ttlMs * DEADLINE_SHARE ? ttlMs / 4 : 0;
      return { from, to: to + recoveryMs + orphanedMs + abortedMs, cause: 'server', canEnd: true };
    });
  const all = new Map<string, { hindrances: Hindrance[]; stalls: Span[] }>();
  return (name: string): { hindrances: Hindrance[]; stalls: Span[] } => {
    const known = all.get(name);
    if (known) return known;
    const life = lives.find((each) => each.name === name) as Life;
    const own = faults.flatMap((fault): Hindrance[] => {
      if (fault.target !== name) return [];
      const { kind, from, to } = fault;
      if (kind === 'short-stop' || kind === 'long-stop')
        // After a long stop, the process has to connect and renew before it can commit.
        return [{ from, to: isLong(fault) ? to + recoveryMs : to, cause: 'stop', canEnd: isLong(fault) }];
      // The connection is closed after the cut. A process that reconnects slowly counts as gone.
      return kind === 'cut' ? [{ from, to: to + recoveryMs, cause: 'cut', canEnd: true }] : [];
    });
    const stalls = life.stalls
      .filter(isLong)
      .map(({ from, to }): Hindrance => ({ from, to, cause: 'stall', canEnd: true }));
    const { killedAt } = life;
    const end: Hindrance[] =
      killedAt === undefined
        ? []
        : [{ from: killedAt, to: Number.POSITIVE_INFINITY, cause: 'kill', canEnd: true }];
    // The last hindrance explains a repetition. So a kill precedes an injected fault.
    const found = {
      hindrances: [...stalls, ...servers, ...own, ...end],
      stalls: life.stalls,
    };
    all.set(name, found);
    return found;
  };
}

/**
 * The time at which a call's epoch ended. An epoch ends when the partition's next lease is written. It also ends when the owner's session
 * is missing and the owner joins under another one, or when the owner is fenced while its process is stopped.
 */
function tenureEnds({ settings, bucket, faults }: History, layouts: Layouts): (call: Call) => number {
  const { group } = settings;
  const gaveUpAt = new Map<string, number>();
  const deletedAt = new Map<string, number[]>();
  const prefix = keys.session(group, '');
  for (const { key, value, at } of bucket) {
    if (!key.startsWith(prefix)) continue;
    const { gaveUp } = (value !== null && decodeSession(Buffer.from(value))) || {};
    if (gaveUp !== undefined && !gaveUpAt.has(gaveUp)) gaveUpAt.set(gaveUp, at);
    const id = key.slice(prefix.length);
    if (value === null) deletedAt.set(id, [...(deletedAt.get(id) ?? []), at]);
  }
  const isStopped = (process: string, at: number): boolean =>
    faults.some(
      ({ kind, target, from, to }) =>
        (kind === 'long-stop' || kind === 'short-stop') && target === process && from <= at && at <= to,
    );
  const changes = Array.from({ length: layouts.most }, (_, partition) => {
    const key = keys.lease(group, partition);
    return bucket.filter((change) => change.key === key).sort((a, b) => a.revision - b.revision);
  });
  return ({ partition, epoch, process, to: doneAt }) => {
    const next = changes[partition]?.find(({ revision }) => revision > epoch);
    const own = changes[partition]?.find(({ revision }) => revision === epoch);
    const owner = own && leaseIn(own)?.owner;
    const leftAt = (owner && gaveUpAt.get(owner)) || Number.POSITIVE_INFINITY;
    // A restored copy of the bucket can contain a session that was deleted before.
    const deletions = (owner && deletedAt.get(owner)) || [];
    const fencedAt = deletions.find((at) => at >= doneAt && isStopped(process, at));
    const nextAt = next ? writtenAt(next, settings) : Number.POSITIVE_INFINITY;
    return Math.min(nextAt, leftAt, fencedAt ?? Number.POSITIVE_INFINITY);
  };
}

const leaseIn = ({ value }: BucketChange) => (value === null ? undefined : decodeLease(Buffer.from(value)));

/**
 * When an entry was written. The harness can see an entry late, so the time in the entry's record counts. It comes from the clock of the
 * same machine.
 */
function writtenAt({ value, at }: BucketChange, { startedAt }: History['settings']): number {
  const stamp = value === null ? undefined : parseObject(value)?.at;
  const said = Date.parse(typeof stamp === 'string' ? stamp : '') - Date.parse(startedAt);
  return Number.isNaN(said) ? at : Math.min(said, at);
}

function covered(spans: readonly Span[], within: Span): number {
  let [total, upTo] = [0, within.from];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const end = Math.min(to, within.to);
    total += Math.max(0, end - Math.max(from, upTo));
    upTo = Math.max(upTo, end);
  }
  return total;
}
