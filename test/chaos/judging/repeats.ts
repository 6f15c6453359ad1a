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

/** How long a commit may take beyond the commit interval, in milliseconds. */
const COMMIT_SLACK_MS = 300;
/** How far a drain's timeout may differ from the setting when it is measured from outside, in milliseconds. */
const DRAIN_SLACK_MS = 100;
/** A break of at least this share of the ttl can cost a session; a shorter break explains no repetition. */
const LONG_SHARE = 0.5;
/** An owner aborts its partitions after this share of the ttl without contact. */
const DEADLINE_SHARE = 0.9;

/**
 * Finds messages that are handled again although an earlier call had handled them. An owner that can commit does so within the commit
 * interval. A message must not be repeated if its owner had more time than that interval to commit it. While a server or a network fails, a
 * write and the request for its outcome may both be lost. The owner waits a fifth of the ttl for each of these two requests. A message may
 * be repeated in another epoch only if the previous owner lost its permit or died before it could commit. A handover, a join, a leave, a
 * release, a pause or a failing handler does not excuse a repetition. Under one epoch no message is handled twice, unless the member has
 * abandoned a call whose handler ignored its signal.
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
    /** By sequence, the call that handled the message and started last. It may still run when the next call of the message starts. */
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

/** The explanation of a repetition whose older call ended only after the newer call had started, by the excuse of this overlap. */
const CAUSES: Record<Excuse, Explanation> = {
  stopped: { cause: 'stop', ableMs: 0 },
  stalled: { cause: 'stall', ableMs: 0 },
  deaf: { cause: 'deaf', ableMs: 0 },
  told: { cause: 'deaf', ableMs: 0 },
};

/**
 * True if a resize moved the message to another partition while a handler ignored its signal. The drain had timed out before the message was
 * handled again. Overlaps of different partitions are not judged elsewhere.
 */
const isOverrun = (before: Call, { partition, from }: Call): boolean =>
  before.deaf && before.partition !== partition && before.toldAt !== undefined && before.toldAt <= from;

type Explanation = { cause: Cause; ableMs: number };

/** Returns a function that finds out why the process of an earlier call could not commit. */
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
      // The member may have abandoned the call, so it does not know that the call succeeded.
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
    // A stall is subtracted twice: when a process has to wait for the processor, the server has to wait as well, and answers later.
    const ableMs = tenure.to - tenure.from - hindered - 2 * stalled;
    return ableMs <= budgetMs ? { cause, ableMs: Math.max(0, ableMs) } : undefined;
  };
}

/** A time in which a process could not commit. `canEnd` means that this hindrance may have cost the process the partition. */
interface Hindrance extends Span {
  cause: Cause;
  canEnd: boolean;
}

/** The hindrances of each process, in order of time. */
function troubles({ settings, faults, lives, bucket }: History) {
  const { ttlMs } = settings;
  const writes = bucket.map((change) => writtenAt(change, settings)).sort((a, b) => a - b);
  // A cluster may need several seconds to elect a leader of the bucket after its servers can reach each other again.
  const usableAt = (healedAt: number): number => writes.find((at) => at >= healedAt) ?? healedAt;
  const recoveryMs = (2 * ttlMs) / 5 + COMMIT_SLACK_MS;
  const isLong = ({ from, to }: Span): boolean => to - from >= ttlMs * LONG_SHARE;
  const servers = faults
    .filter(({ kind }) => SERVER_KINDS.includes(kind))
    .map(({ kind, from, to: healedAt }): Hindrance => {
      const to = usableAt(healedAt);
      // An owner stops when it notices that its session is gone, but its lease may remain until the longest ttl has passed.
      const orphanedMs = kind === 'entries-removed' || kind === 'store-restored' ? ttlMs : 0;
      // After its deadline an owner has aborted everything, and takes its partitions over again before it can commit.
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
        // After a long stop the process has to connect and renew before it may commit.
        return [{ from, to: isLong(fault) ? to + recoveryMs : to, cause: 'stop', canEnd: isLong(fault) }];
      // The connection is closed after the cut. If the process reconnects slowly, the other members regard it as gone.
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
    // For the explanation, a kill takes precedence over an injected fault, and an injected fault over other hindrances.
    const found = {
      hindrances: [...stalls, ...servers, ...own, ...end],
      stalls: life.stalls,
    };
    all.set(name, found);
    return found;
  };
}

/**
 * The time at which a call's epoch ended. An epoch ends when the next lease of the partition is written, when the owner joins under another
 * session because its own session is missing, or when the owner is fenced while its process is stopped. The harness may have seen the next lease late, because its watch restarts after the
 * kill of a server. The judge therefore uses the time in the lease's record, which comes from the clock of the same machine.
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
    // A restored copy of the bucket may contain a session that was deleted before.
    const deletions = (owner && deletedAt.get(owner)) || [];
    const fencedAt = deletions.find((at) => at >= doneAt && isStopped(process, at));
    const nextAt = next ? writtenAt(next, settings) : Number.POSITIVE_INFINITY;
    return Math.min(nextAt, leftAt, fencedAt ?? Number.POSITIVE_INFINITY);
  };
}

const leaseIn = ({ value }: BucketChange) => (value === null ? undefined : decodeLease(Buffer.from(value)));

/**
 * When an entry was written. The harness may have seen the entry late. The time in the entry's record comes from the clock of the same
 * machine.
 */
function writtenAt({ value, at }: BucketChange, { startedAt }: History['settings']): number {
  const stamp = value === null ? undefined : parseObject(value)?.at;
  const said = Date.parse(typeof stamp === 'string' ? stamp : '') - Date.parse(startedAt);
  return Number.isNaN(said) ? at : Math.min(said, at);
}

/** How much of `within` the spans cover. */
function covered(spans: readonly Span[], within: Span): number {
  let [total, upTo] = [0, within.from];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const end = Math.min(to, within.to);
    total += Math.max(0, end - Math.max(from, upTo));
    upTo = Math.max(upTo, end);
  }
  return total;
}
