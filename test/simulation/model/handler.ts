import type { Handler } from '../../../src/core/member/partition/handler.js';
import type { Process } from './process.js';
import type { Random } from './random.js';

/** How a member's handlers behave; probabilities from 0 to 1. */
export interface HandlerProfile {
  /** Some take no time at all and return at once; the others up to this long. */
  atOnce: number;
  maxMs: number;
  /** A few take much longer. */
  long: number;
  longMs: number;
  fails: number;
  /** Those that return at once compute for up to this long. */
  busyMs: number;
  /** Takes no notice of its AbortSignal. */
  ignores: number;
}

/** One call of a handler, from its start to its end. */
export interface Call {
  readonly member: string;
  readonly process: Process;
  readonly partition: number;
  readonly epoch: number;
  readonly sequence: number;
  /** Null where handlers of a partition run one at a time. */
  readonly key: string | null;
  readonly ignoresAbort: boolean;
  /** How long it computed. */
  busyMs: number;
  /** When it was told to stop, on its process's clock; undefined: it was not. */
  abortedAt: number | undefined;
}

/** Hears of calls. */
export interface CallObserver {
  started(call: Call): void;
  ended(call: Call, how: 'handled' | 'failed' | 'stopped'): void;
}

/** A told handler takes up to this long to stop. */
const STOP_MS = 3;

/** One that takes no notice of its signal takes up to this long, so that it is often in the way. */
const IGNORANT_MS = 4_000;

/** Makes a member's handler; `profile` may change while it is used. */
export function simulatedHandler(
  member: string,
  process: Process,
  random: Random,
  profile: HandlerProfile,
  observer: CallObserver,
): Handler {
  return (message, context) => {
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
    const forMs = call.ignoresAbort ? random.between(500, IGNORANT_MS) : random.between(0, mostMs);
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
