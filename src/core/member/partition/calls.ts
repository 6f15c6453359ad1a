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
  readonly #resume: () => void;
  /**
   * A stack of calls whose handler has not returned, or whose synchronous outcome is being processed. A handler can start another call
   * before it returns.
   */
  readonly #entered: HandlerCall[] = [];
  /** Calls that returned a promise. */
  readonly #running = new Map<HandlerCall, readonly Entry[]>();
  #settled: (() => void)[] = [];

  /**
   * @param timeoutMs a call that takes longer fails; undefined: no limit.
   * @param isBusy returns true while other work runs, such as storing a dead letter.
   * @param resume called when a call that returned a promise has ended, so that other calls may start.
   */
  constructor(
    scope: CallScope,
    ports: CallPorts,
    timeoutMs: number | undefined,
    isBusy: () => boolean,
    resume: () => void,
  ) {
    this.#scope = scope;
    this.#ports = ports;
    this.#timeoutMs = timeoutMs;
    this.#isBusy = isBusy;
    this.#resume = resume;
  }

  /** Number of calls that have not ended. */
  get size(): number {
    return this.#running.size + this.#entered.length;
  }

  /** The messages whose handlers have returned a promise and are running. */
  get messages(): StreamMessage[] {
    return [...this.#running.values()].flat().map(({ message }) => message);
  }

  /** Creates a call that starts now with this message. The call counts as running until {@link returned}. */
  begin(message: StreamMessage, attempt: number): HandlerCall {
    const { slice, slots } = this.#ports;
    slice.calls(this.#scope.partition, message.sequence);
    const call = new HandlerCall(this.#scope, message, attempt);
    this.#entered.push(call);
    slots?.take(call);
    return call;
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

  /**
   * Follows a call that returned a promise, until the call ends. The call counts as running until `ended` has returned. So if a listener
   * makes the member leave, the drain waits until the outcome is processed.
   */
  follow(
    call: HandlerCall,
    run: readonly Entry[],
    result: Promise<unknown>,
    ended: (end: CallEnd) => void,
  ): void {
    this.#running.set(call, run);
    followCall(call, result, this.#ports.clock, this.#timeoutMs, (end) => {
      ended(end);
      this.#running.delete(call);
      this.#over(call);
      this.#resume();
    });
  }

  /** To be called when the call that began last has returned, after its outcome was processed. `runs`: it returned a promise. */
  returned(call: HandlerCall, runs: boolean): void {
    this.#entered.pop();
    if (!runs) this.#over(call);
  }

  #over(call: HandlerCall): void {
    this.#ports.slots?.giveBack(call);
    this.tellSettled();
  }

  /** Declares the running call of a message failed, as if it had taken too long. */
  fail(sequence: number, error: Error): void {
    for (const [call, run] of this.#running)
      if (run.some(({ message }) => message.sequence === sequence)) call.fail(error);
  }

  /** Aborts running calls. */
  interrupt(reason: string): void {
    for (const call of [...this.#entered, ...this.#running.keys()]) call.abort(reason);
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
    if (this.#settled.length === 0 || !this.#isIdle) return;
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }

  get #isIdle(): boolean {
    return this.size === 0 && !this.#isBusy();
  }
}
