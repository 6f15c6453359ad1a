import type { Dealt } from '../../config/retry.js';
import { promiseOf } from '../../lib/promise-of.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import type { StreamMessage } from '../../protocol/message.js';
import { areTriedAlone, Batching } from './batching.js';
import { Calls } from './calls.js';
import type { Caution } from './caution.js';
import { Failures } from './failures.js';
import { Gate, type HeldBack } from './gate.js';
import { FailedAt, StopConsuming } from './handler.js';
import type { CallScope, HandlerCall } from './handler-call.js';
import { type Entry, KeyQueues } from './key-queues.js';
import type { Lead } from './lead.js';
import type { Halt, WorkPorts, WorkProgress, WorkSettings } from './work-contract.js';

/**
 * Calls the handler for the messages of one partition, decides which message is next, and tracks how far all messages are settled. This
 * class knows nothing about readers and positions.
 */
export class PartitionWork {
  readonly #ports: WorkPorts;
  readonly #progress: WorkProgress;
  readonly #queues: KeyQueues;
  readonly #failures: Failures;
  readonly #calls: Calls;
  readonly #concurrency: number;
  /** Set if the handler takes batches. */
  readonly #batching: Batching | undefined;
  readonly #gate: Gate;
  /** Set while messages are handled one at a time, because owners have died. */
  #caution: Caution | undefined;
  /** Set while the position records deaths of earlier owners. */
  #lead: Lead | undefined;
  #open = true;
  #abandoned = false;
  #handledCount = 0;

  constructor(scope: CallScope, settings: WorkSettings, ports: WorkPorts, progress: WorkProgress) {
    this.#ports = ports;
    this.#progress = progress;
    const { handler, clock } = ports;
    const resume = (): void => this.#pump();
    this.#gate = new Gate(scope.partition, ports, resume);
    this.#batching = typeof handler === 'function' ? undefined : new Batching(handler.limits, clock, resume);
    this.#concurrency = this.#batching ? 1 : (settings.concurrency ?? 1);
    this.#queues = new KeyQueues(this.#concurrency);
    this.#failures = new Failures(scope, settings.failure, ports, {
      again: (entry) => {
        this.#queues.putBack(entry);
        this.#pump();
      },
      done: (entry, how) => this.#settle([entry], how),
      left: (entry) => this.#gate.leave(entry),
      halted: (entry, message, held) => this.#halt(entry, { kind: 'halted', message, held }),
      stored: () => {
        this.#pump();
        this.#calls.tellSettled();
      },
    });
    const isStoring = (): boolean => this.#failures.storing > 0;
    this.#calls = new Calls(scope, ports, settings.handlerTimeoutMs, isStoring, () => {
      this.#pump();
      this.tellStarving();
    });
  }

  /** Limits how far handlers run ahead of a position that records deaths of earlier owners. To be called before the first message. */
  keepShort(lead: Lead): void {
    this.#lead = lead;
  }

  /** Handles messages one at a time until `caution` ends. To be called before the first message. */
  beCautious(caution: Caution): void {
    this.#caution = caution;
  }

  /** Number of messages that were accepted and are not settled. */
  get waiting(): number {
    return this.#queues.size;
  }

  /** When the first accepted and unsettled message was stored, on the server's clock; undefined if there is none. */
  get oldestAtMs(): number | undefined {
    return this.#queues.oldest?.timestampMs;
  }

  /** Why no call may start: a pause, or the limit on calls; undefined if neither applies. */
  get held(): HeldBack | undefined {
    return this.#gate.held;
  }

  /** The failed message that holds up the partition; undefined if there is none. */
  get holdUp(): HoldUp | undefined {
    return this.#failures.holdUp;
  }

  /** The details of an unsettled message that failed; undefined if there is none. */
  failing(sequence: number): HoldUp | undefined {
    return this.#failures.failing(sequence);
  }

  /** Tries failed messages now. */
  retryNow(): void {
    this.#failures.retryNow();
  }

  /** Number of settled messages. */
  get handled(): number {
    return this.#handledCount;
  }

  /** The messages whose handlers run. */
  get running(): readonly StreamMessage[] {
    return this.#calls.messages;
  }

  /** Declares the running call of a message failed, and aborts its signal. */
  failNow(sequence: number, error: Error): void {
    this.#calls.fail(sequence, error);
  }

  /** Takes the next message of the partition. */
  accept(message: StreamMessage): void {
    if (!this.#open) return;
    this.#batching?.arrived(message);
    this.#lead?.arrived(message.sequence);
    const isPlain = !this.#batching && !this.#caution && !this.#lead;
    // If no message waits, the handler is called at once. A synchronous handler then costs no bookkeeping and no promise.
    if (isPlain && this.#queues.size === 0 && this.#gate.mayStart(undefined) && this.#gate.admit())
      this.#callAtOnce(message);
    else this.#queues.add(message);
    if (this.#queues.hasReady) this.#pump();
    this.tellStarving();
  }

  /**
   * Reports that more handlers could run if more messages arrived. With a concurrency of 1, another message would not start another
   * handler.
   */
  tellStarving(): void {
    if (this.#limit === 1 || !this.#open || this.#queues.size === 0 || this.#queues.hasReady) return;
    if (this.#calls.size < this.#concurrency) this.#progress.starving();
  }

  /** Starts no more calls. Waiting messages are removed from memory, but stay in the stream. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#batching?.close();
    this.#failures.close();
  }

  /** Closes this object, and aborts running handlers. The results of aborted handlers cause no more events. */
  abandon(reason: string): void {
    this.close();
    this.#abandoned = true;
    this.interrupt(reason);
    this.#caution?.abandon();
  }

  /** Aborts running handlers. The messages of aborted handlers are retried, and do not count as failed. */
  interrupt(reason: string): void {
    this.#calls.interrupt(reason);
  }

  /** Resolves with true once no handler runs and no dead letter is being stored. Resolves with false after `withinMs` milliseconds. */
  settles(withinMs: number): Promise<boolean> {
    return this.#calls.settles(withinMs);
  }

  /** Starts calls until the next message has to wait. */
  #pump(): void {
    while (this.#open && this.#queues.hasReady && this.#calls.size < this.#limit) {
      const run = this.#next();
      const [first] = run;
      if (!first) return;
      this.#queues.take(first);
      this.#batching?.taken(run.at(-1)?.behind !== undefined);
      this.#call(first, run);
    }
  }

  get #limit(): number {
    return this.#caution ? 1 : this.#concurrency;
  }

  /** The messages of the next call: one message, or a batch. Empty if no call is due, or if none may start. */
  #next(): readonly Entry[] {
    const first = this.#first();
    const batching = this.#caution ? undefined : this.#batching;
    if (!first || batching?.isDue(this.#queues) === false) return [];
    if (this.#near([first]).length === 0 || !this.#gate.mayStart(this.#caution)) return [];
    // The quota may run out in the middle of a batch.
    return this.#gate.admitted(this.#near(batching ? batching.next(this.#queues) : [first]));
  }

  #first(): Entry | undefined {
    if (this.#caution) return this.#queues.peekOldest();
    return this.#lead ? this.#queues.peekFirst() : this.#queues.peek();
  }

  /** The messages of `run` that are near enough to the position. */
  #near(run: readonly Entry[]): readonly Entry[] {
    return this.#lead ? this.#lead.within(run, () => this.#pump()) : run;
  }

  /**
   * Calls the handler for a message that arrives while no other message waits. The message becomes an entry only if the call returns a
   * promise or fails.
   */
  #callAtOnce(message: StreamMessage): void {
    const call = this.#calls.begin(message, 1);
    let running: Promise<unknown> | undefined;
    try {
      running = promiseOf(this.#calls.invoke(call, message, []));
    } catch (error) {
      this.#failed([this.#takeNew(message)], call, error);
      this.#calls.returned(call, false);
      return;
    }
    if (running) this.#follow([this.#takeNew(message)], call, running);
    else if (this.#open) {
      this.#progress.advanced(message, 1);
      this.#handled(message, 'handled');
    } else this.#settle([this.#takeNew(message)]);
    this.#calls.returned(call, running !== undefined);
  }

  /** An entry for a message whose call has already started. */
  #takeNew(message: StreamMessage): Entry {
    const entry = this.#queues.add(message);
    entry.admitted = true;
    this.#queues.take(entry);
    return entry;
  }

  #call({ message, attempt }: Entry, run: readonly Entry[]): void {
    const call = this.#calls.begin(message, attempt);
    const invoke = (): unknown => this.#calls.invoke(call, message, run);
    let running: Promise<unknown> | undefined;
    try {
      running = promiseOf(this.#caution ? this.#caution.run(call, message.sequence, invoke) : invoke());
    } catch (error) {
      this.#failed(run, call, error);
      this.#calls.returned(call, false);
      return;
    }
    if (running) this.#follow(run, call, running);
    else this.#settle(run);
    this.#calls.returned(call, running !== undefined);
  }

  #follow(run: readonly Entry[], call: HandlerCall, running: Promise<unknown>): void {
    this.#calls.follow(call, run, running, (failure) => {
      const caution = this.#caution;
      if (failure) this.#failed(run, call, failure.error);
      else this.#settle(run);
      void caution?.ended();
    });
  }

  /** Settles the messages of `run`, which are consecutive. */
  #settle(run: readonly Entry[], how: Dealt = 'handled'): void {
    const [first] = run;
    if (!first) return;
    const advance = this.#queues.complete(first, run.at(-1));
    if (this.#batching) for (const { message } of run) this.#batching.settled(message);
    if (advance) this.#progress.advanced(advance.message, advance.messages);
    this.#caution?.settled();
    if (this.#caution?.isOn === false) this.#caution = undefined;
    if (this.#lead?.isOver) this.#lead = undefined;
    for (const entry of run) {
      this.#failures.settled(entry);
      if (this.#abandoned) this.#gate.leave(entry);
      else this.#handled(entry.message, how);
    }
  }

  #handled(message: StreamMessage, how: Dealt): void {
    if (this.#abandoned) return;
    this.#handledCount++;
    this.#ports.events.handled(message, how);
  }

  /** If one message of a batch failed, the messages before it are settled. The messages after it wait for the failed message. */
  #failed(run: readonly Entry[], call: HandlerCall, error: unknown): void {
    const one = this.#batching && FailedAt.in(error, run.length);
    const { index: at, cause: why } = one ?? { index: 0, cause: error };
    const [entry, ...behind] = run.slice(at);
    if (!entry) return;
    if (at > 0) {
      this.#settle(run.slice(0, at));
      this.#queues.take(entry);
    }
    for (const other of behind) this.#gate.leave(other);
    if (!this.#open) this.#gate.leave(entry);
    else if (error instanceof StopConsuming) this.#halt(entry, { kind: 'stopped', error });
    // The member aborted the call's signal, so the message has not failed.
    else if (call.interrupted) this.#queues.putBack(entry);
    else {
      const next = this.#failures.decide(entry, why);
      if (areTriedAlone(run.length, one !== undefined, next.kind)) this.#isolate(entry, run, why);
      else this.#failures.follow(entry, why, next);
    }
  }

  /**
   * Tries the messages of a batch one at a time, each with the usual number of attempts. The failure policy applies only to the message
   * that fails when it is tried alone.
   */
  #isolate(first: Entry, batch: readonly Entry[], error: unknown): void {
    this.#ports.events.attemptFailed(first.message, first.attempt, error, 'retry');
    this.#batching?.isolate(batch);
    first.attempt = 1;
    this.#queues.putBack(first);
  }

  #halt(entry: Entry, halt: Halt): void {
    this.close();
    this.#gate.leave(entry);
    this.#progress.halting(halt);
  }
}
