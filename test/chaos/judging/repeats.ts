import type { Call, FaultSpan, History, Life, Span } from '../recording/history.js';
import type { FaultKind } from '../recording/records.js';
import { describeCall, describeCallFully } from './describe.js';
import type { Overlap } from './exclusive.js';
import type { Violation } from './violation.js';

/** What explains that a message is handled again. */
export type Cause = 'kill' | 'stop' | 'cut' | 'server' | 'deaf' | 'stall';

/** A message that was handled before, and how long before the fault that was, milliseconds. */
export interface Repeat {
  call: Call;
  before: Call;
  cause: Cause;
  /** From the end of the call before to the fault: what had not been committed by then. */
  ageMs: number;
}

/** Beside the commit interval: the writing of a position on a busy machine. */
const COMMIT_SLACK_MS = 800;
/**
 * After a server is back, or a network, positions cannot be written for this long yet: a write and the question what
 * became of it can both have got lost, and each is waited for a fifth of the ttl.
 */
const recoveryMs = (ttlMs: number): number => (2 * ttlMs) / 5 + COMMIT_SLACK_MS;
/** Only a break of at least this part of the ttl can cost a session: a shorter one explains nothing. */
const LONG_SHARE = 0.5;

/**
 * Messages that are handled again though a call had handled them. Between epochs that happens only where the owner
 * before lost its permission or its life before it could commit; a handover, a join, a leave, a release, a pause and a
 * failing handler repeat nothing. Under one epoch nothing is handled twice, unless a deaf handler was given up.
 */
export function judgeRepeats(
  history: History,
  calls: readonly Call[][],
  overlaps: readonly Overlap[],
): { violations: Violation[]; repeats: Repeat[] } {
  const violations: Violation[] = [];
  const repeats: Repeat[] = [];
  const excused = new Map(overlaps.map(({ older, newer, excuse }) => [newer, { older, excuse }]));
  const explain = explainer(history);
  for (const list of calls) {
    /** By sequence, the calls that handled it, or will have by their end. */
    const handled = new Map<number, Call>();
    for (const call of list) {
      const before = handled.get(call.seq);
      if (call.how === 'handled') handled.set(call.seq, call);
      if (!before) continue;
      const overlap = excused.get(call);
      const found =
        before.to > call.from
          ? overlap?.older === before && { cause: overlap.excuse === 'deaf' ? 'deaf' : 'stop', ageMs: 0 }
          : explain(before, call);
      if (found) repeats.push({ call, before, ...(found as { cause: Cause; ageMs: number }) });
      else {
        const text = `${describeCall(call)} again, and nothing explains it; before: ${describeCallFully(before)}`;
        violations.push({ charge: 'repeat', at: call.from, partition: call.partition, text });
      }
    }
  }
  return { violations, repeats };
}

/** Finds what kept the call's process from committing. */
function explainer({ settings, faults, lives }: History) {
  const { commitIntervalMs, drainTimeoutMs, ttlMs } = settings;
  const withinMs = commitIntervalMs + COMMIT_SLACK_MS;
  const byName = new Map(lives.map((life) => [life.name, life]));
  const serverFaults = faults.filter(({ kind }) => kind === 'server-kill' || kind === 'leader-kill');

  return (before: Call, call: Call): { cause: Cause; ageMs: number } | undefined => {
    const { process, to: doneAt } = before;
    const life = byName.get(process) as Life;
    if (before.deaf && before.toldAt !== undefined) {
      // Its member may have given it up: then nobody knows that it came to an end.
      const givenUp = doneAt - before.toldAt >= drainTimeoutMs - COMMIT_SLACK_MS;
      if (givenUp || before.epoch !== call.epoch) return { cause: 'deaf', ageMs: 0 };
    }
    if (before.epoch === call.epoch) return undefined;
    const { killedAt } = life;
    const isClose = ({ from, to }: Span, afterMs: number): boolean =>
      from <= doneAt + withinMs && to + afterMs >= doneAt && from <= call.from;
    if (killedAt !== undefined && isClose({ from: killedAt, to: killedAt }, withinMs)) {
      return { cause: 'kill', ageMs: killedAt - doneAt };
    }
    const age = (fault: FaultSpan): number => Math.max(0, fault.from - doneAt);
    const isLong = ({ from, to }: Span): boolean => to - from >= ttlMs * LONG_SHARE;
    const long = (kind: FaultKind, afterMs: number): FaultSpan | undefined =>
      faults.find(
        (fault) =>
          fault.kind === kind && fault.target === process && isLong(fault) && isClose(fault, afterMs),
      );
    const stop = long('long-stop', withinMs) ?? long('short-stop', withinMs);
    if (stop) return { cause: 'stop', ageMs: age(stop) };
    const cut = long('cut', recoveryMs(ttlMs));
    if (cut) return { cause: 'cut', ageMs: age(cut) };
    const server = serverFaults.find((fault) => isClose(fault, recoveryMs(ttlMs)));
    if (server) return { cause: 'server', ageMs: age(server) };
    const stall = life.stalls.find((each) => isLong(each) && isClose(each, withinMs));
    return stall && { cause: 'stall', ageMs: Math.max(0, stall.from - doneAt) };
  };
}
