import type { Call, FaultSpan, History, Life, Span } from '../recording/history.js';
import { describeCall, describeCallFully } from './describe.js';
import type { Section } from './layouts.js';
import type { Violation } from './violation.js';

/** Excuses for two simultaneous handlers of a partition. SPEC.md does not rule these cases out. */
export type Excuse = 'stopped' | 'stalled' | 'deaf' | 'told';

/** A process that wakes from a stop aborts the signals of its calls within this time, in milliseconds. */
const WAKE_GRACE_MS = 250;
/** A handler that respects its signal ends within this time, in milliseconds. */
const HEED_MS = 100;
/** Maximum delay of a drain's timeout, in milliseconds. */
const DRAIN_SLACK_MS = 100;

/** Two simultaneous calls. */
export interface Overlap {
  older: Call;
  newer: Call;
  excuse: Excuse;
}

/** The breaks of each process: SIGSTOP, and stalls of its event loop. */
export class Breaks {
  readonly #stops = new Map<string, Span[]>();
  readonly #stalls: Map<string, Span[]>;

  constructor(faults: readonly FaultSpan[], lives: readonly Life[]) {
    this.#stalls = new Map(lives.map(({ name, stalls }) => [name, stalls]));
    for (const fault of faults) {
      if (fault.kind !== 'short-stop' && fault.kind !== 'long-stop') continue;
      const stops = this.#stops.get(fault.target);
      if (stops) stops.push(fault);
      else this.#stops.set(fault.target, [fault]);
    }
  }

  /** Excuses a call that a break interrupted at this moment. The call must end at most {@link WAKE_GRACE_MS} after the break. */
  excuse(call: Call, moment: number): 'stopped' | 'stalled' | undefined {
    const covers = ({ from, to }: Span): boolean =>
      from >= call.from - HEED_MS &&
      from <= moment &&
      moment <= to + WAKE_GRACE_MS &&
      call.to <= to + WAKE_GRACE_MS;
    if (this.#stops.get(call.process)?.some(covers)) return 'stopped';
    return this.#stalls.get(call.process)?.some(covers) ? 'stalled' : undefined;
  }
}

/**
 * I4: no two members run handlers of a partition at the same time. No member starts a handler under an epoch that has ended. I3: within one
 * member and epoch, only one handler of a partition runs at a time. After a resize, no handler runs under the previous layout. An overlap
 * is judged with the later of its two layouts.
 */
export function judgeExclusive(
  history: History,
  { calls, isOwn }: Section,
): { violations: Violation[]; overlaps: Overlap[] } {
  const violations: Violation[] = [];
  const overlaps: Overlap[] = [];
  const breaks = new Breaks(history.faults, history.lives);
  for (const [partition, list] of calls.entries()) {
    let active: Call[] = [];
    let newest: Call | undefined;
    for (const call of list) {
      active = active.filter(({ to }) => to > call.from);
      if (newest && isOwn(newest) && call.epoch < newest.epoch) {
        const text = `${describeCall(call)} starts after a call of a newer epoch: ${describeCallFully(newest)}`;
        violations.push({ charge: 'late-start', at: call.from, partition, text });
      }
      for (const other of active) {
        if (!isOwn(call) && !isOwn(other)) continue;
        const excuse = excuseOf(other, call, breaks, history.settings.drainTimeoutMs);
        if (excuse) overlaps.push({ older: other, newer: call, excuse });
        else {
          const text = `${describeCall(call)} starts while another call runs: ${describeCallFully(other)}`;
          violations.push({ charge: 'overlap', at: call.from, partition, text });
        }
      }
      active.push(call);
      if (!newest || call.epoch > newest.epoch) newest = call;
    }
  }
  return { violations, overlaps };
}

function excuseOf(older: Call, newer: Call, breaks: Breaks, drainTimeoutMs: number): Excuse | undefined {
  const { toldAt, deaf } = older;
  const wasTold = toldAt !== undefined && toldAt <= newer.from;
  if (older.process === newer.process) {
    // A member abandons a running call after the drain timeout.
    const isGivenUp = wasTold && newer.from - toldAt >= drainTimeoutMs - DRAIN_SLACK_MS;
    return deaf && isGivenUp ? 'deaf' : undefined;
  }
  if (newer.epoch <= older.epoch) return undefined;
  const broken = breaks.excuse(older, newer.from);
  if (broken) return broken;
  if (!wasTold) return undefined;
  if (deaf) return 'deaf';
  return older.to - toldAt <= HEED_MS ? 'told' : undefined;
}
