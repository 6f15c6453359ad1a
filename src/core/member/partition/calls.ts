import type { Clock } from '../../lib/clock.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { Handler, InBatches } from './handler.js';
import { type CallScope, HandlerCall } from './handler-call.js';
import { type CallEnd, followCall } from './handler-timeout.js';
import type { Entry } from './key-queues.js';
import type { CallLimit } from './slots.js';
import type { TimeSlice } from './time-slice.js';

/** The dependencies of {@link Calls}. */
export interface CallPorts {
  /** Called for each message, or for batches. */
  handler: Handler | InBatches;
  slice: TimeSlice;
  clock: Clock;
  slots?: CallLimit | undefined;
}

/** Keeps track of one partition's handler calls. */
export class Calls {
  readonly #scope: CallScope;
  readonly #ports: CallPorts;
  readonly #timeoutMs: number | undefined;
  readonly #isBusy: () => boolean;
  readonly #running = new Map<HandlerCall, readonly Entry[]>();
  #settled: (() => void)[] = [];

  /**
   * @param timeoutMs a call that takes longer fails; undefined: no limit.
   * @param isBusy returns true while other work runs, such as storing a dead letter.
   */
  constructor(scope: CallScope, ports: CallPorts, timeoutMs: number | undefined, isBusy: () => boolean) {
    this.#scope = scope;
    this.#ports = ports;
    this.#timeoutMs = timeoutMs;
    this.#isBusy = isBusy;
  }

  /** Number of running calls. */
  get size(): number {
    return this.#running.size;
  }

  /** Sequences of the messages whose handlers are running. */
  get sequences(): number[] {
    return [...this.#running.values()].flat().map(({ message }) => message.sequence);
  }

  /** Creates a call that starts now with this message. */
  begin(message: StreamMessage, attempt: number): HandlerCall {
    this.#ports.slice.calls(this.#scope.partition, message.sequence);
    return new HandlerCall(this.#scope, message, attempt);
  }

  /** Calls the handler with a message, or a batch. @throws the error that the handler throws. */
  invoke(call: HandlerCall, first: StreamMessage, run: readonly Entry[]): unknown {
    const { handler } = this.#ports;
    if (typeof handler === 'function') return handler(first, call);
    return handler.handler(
      run.map(({ message }) => message),
      call,
    );
  }

  /** Follows a call that returned a promise, until the call ends. */
  follow(
    call: HandlerCall,
    run: readonly Entry[],
    result: Promise<unknown>,
    ended: (end: CallEnd) => void,
  ): void {
    const { clock, slots } = this.#ports;
    this.#running.set(call, run);
    slots?.take(call);
    followCall(call, result, clock, this.#timeoutMs, (end) => {
      this.#running.delete(call);
      ended(end);
      slots?.giveBack(call);
      this.tellSettled();
    });
  }

  /** Aborts running calls. */
  interrupt(reason: string): void {
    for (const call of this.#running.keys()) call.abort(reason);
  }

  /** Resolves with true once no call runs and `isBusy` returns false. Resolves with false after `withinMs` milliseconds. */
  settles(withinMs: number): Promise<boolean> {
    if (this.#isIdle) return Promise.resolve(true);
    return new Promise((resolve) => {
      const { clock } = this.#ports;
      const cancel = clock.at(clock.now() + withinMs, () => resolve(false));
      this.#settled.push(() => {
        cancel();
        resolve(true);
      });
    });
  }

  /** To be called when a call has ended, or when `isBusy` may have become false. */
  tellSettled(): void {
    if (!this.#isIdle) return;
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }

  get #isIdle(): boolean {
    return this.#running.size === 0 && !this.#isBusy();
  }
}
