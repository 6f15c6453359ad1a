import type { Handler } from '../../../src/core/member/partition/handler.js';
import type { Process } from './process.js';
import type { Random } from './random.js';

/** The behavior of a member's handlers. Probabilities are from 0 to 1. */
export interface HandlerProfile {
  /** Probability that a handler returns at once. Otherwise it takes up to `maxMs` milliseconds. */
  atOnce: number;
  maxMs: number;
  /** Probability that a handler takes much longer, up to `longMs` milliseconds. */
  long: number;
  longMs: number;
  fails: number;
  /** Synchronous handlers compute for up to this time. */
  busyMs: number;
  ignores: number;
}

/** A call of a handler. */
export interface Call {
  readonly member: string;
  readonly process: Process;
  readonly partition: number;
  readonly epoch: number;
  readonly sequence: number;
  /** Null if the handlers of a partition run one at a time. */
  readonly key: string | null;
  readonly ignoresAbort: boolean;
  busyMs: number;
  /** When the call's signal aborted, on the clock of its process. Undefined if it did not abort. */
  abortedAt: number | undefined;
}

/** Observes the start and the end of each call. */
export interface CallObserver {
  started(call: Call): void;
  ended(call: Call, how: 'handled' | 'failed' | 'stopped'): void;
}

/** Decides whether a call ends its process. */
export interface CallFate {
  kills(call: Call): boolean;
}

const NEVER = new Promise<void>(() => {});

/** A handler stops this long after its signal aborted. */
const STOP_MS = 3;

/** The longest handler that ignores its signal. It is long enough for frequent overlaps. */
const IGNORANT_MS = 4_000;

/** The shortest handler that ignores its signal. */
const LEAST_IGNORANT_MS = 500;

/** The average duration of a call that is not stopped, in milliseconds. */
export function averageMs({ atOnce, busyMs, ignores, long, longMs, maxMs }: HandlerProfile): number {
  const ignorantMs = (LEAST_IGNORANT_MS + IGNORANT_MS) / 2;
  const otherMs = (long * longMs + (1 - long) * maxMs) / 2;
  return (atOnce * busyMs) / 2 + (1 - atOnce) * (ignores * ignorantMs + (1 - ignores) * otherMs);
}

/** Creates a member's handler. `profile` can change later. */
export function simulatedHandler(
  member: string,
  process: Process,
  random: Random,
  profile: HandlerProfile,
  observer: CallObserver & CallFate,
): Handler {
  return (message, context) => {
    if (process.isDead) return NEVER;
    const fails = profile.fails > 0 && random.chance(profile.fails);
    const call: Call = {
      member,
      process,
      partition: context.partition,
      epoch: context.epoch,
      sequence: message.sequence,
      key: context.key,
      ignoresAbort: profile.ignores > 0 && random.chance(profile.ignores),
      busyMs: 0,
      abortedAt: undefined,
    };
    observer.started(call);
    if (observer.kills(call)) return NEVER;
    if (random.chance(profile.atOnce)) {
      if (profile.busyMs > 0) {
        call.busyMs = random.between(0, profile.busyMs);
        process.compute(call.busyMs);
      }
      observer.ended(call, fails ? 'failed' : 'handled');
      if (fails) throw new Error('this handler fails');
      return undefined;
    }
    const mostMs = random.chance(profile.long) ? profile.longMs : profile.maxMs;
    const forMs = call.ignoresAbort
      ? random.between(LEAST_IGNORANT_MS, IGNORANT_MS)
      : random.between(0, mostMs);
    const { signal } = context;
    return new Promise<void>((resolve, reject) => {
      const { clock } = process;
      const cancel = clock.at(clock.now() + forMs, () => {
        signal.removeEventListener('abort', onAbort);
        observer.ended(call, fails ? 'failed' : 'handled');
        if (fails) reject(new Error('this handler fails'));
        else resolve();
      });
      const onAbort = (): void => {
        call.abortedAt ??= clock.now();
        if (call.ignoresAbort) return;
        cancel();
        clock.at(clock.now() + random.between(0, STOP_MS), () => {
          observer.ended(call, 'stopped');
          reject(new Error('stopped'));
        });
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  };
}
