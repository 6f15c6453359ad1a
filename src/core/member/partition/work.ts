import type { Dealt, FailurePolicy } from '../../config/retry.js';
import type { Clock } from '../../lib/clock.js';
import { promiseOf } from '../../lib/promise-of.js';
import type { StreamMessage } from '../../protocol/message.js';
import { Batching } from './batching.js';
import { type FailurePorts, Failures } from './failures.js';
import { FailedAt, type Handler, type InBatches, StopConsuming } from './handler.js';
import { type CallScope, HandlerCall } from './handler-call.js';
import { followCall } from './handler-timeout.js';
import { type Entry, KeyQueues } from './key-queues.js';
import type { PartitionEvents } from './partition-events.js';
import type { Permit } from './permit.js';
import type { Quota } from './quota.js';
import type { TimeSlice } from './time-slice.js';

/** How messages are handled. */
export interface WorkSettings {
  /** Handlers of one partition that may run in parallel, each for a different key. Default 1. */
  concurrency?: number | undefined;
  failure: FailurePolicy;
  /** An attempt that takes longer has failed; undefined: no limit. */
  handlerTimeoutMs?: number | undefined;
}

/** What {@link PartitionWork} works with. */
export interface WorkPorts extends FailurePorts {
  events: Pick<PartitionEvents, 'attemptFailed' | 'handled'>;
  /** Called for each message, or for batches; then `concurrency` is 1. */
  handler: Handler | InBatches;
  permit: Permit;
  slice: TimeSlice;
  clock: Clock;
  quota?: Quota | undefined;
}

/** Why a partition stops handling. */
export type Halt = { kind: 'halted'; message: string } | { kind: 'stopped'; error: StopConsuming };

/** Tells the runner. */
interface WorkProgress {
  /** Everything up to this message is settled, `messages` more than before. Told even after the end. */
  advanced(message: StreamMessage, messages: number): void;
  /** Handlers are idle, because all accepted messages wait for running ones. */
  starving(): void;
  /** No more messages are started; running handlers continue. */
  halting(halt: Halt): void;
}

/**
 * The handler calls of one partition: which message is next, and up to where all are settled. Knows nothing of readers
 * and positions.
 */
export class PartitionWork {
  readonly #scope: CallScope;
  readonly #settings: WorkSettings;
  readonly #ports: WorkPorts;
  readonly #progress: WorkProgress;
  readonly #queues: KeyQueues;
  readonly #failures: Failures;
  readonly #concurrency: number;
  /** The messages of each running call. */
  readonly #running = new Map<HandlerCall, readonly Entry[]>();
  /** Where the handler takes batches. */
  readonly #batching: Batching | undefined;
  readonly #resume = (): void => this.#pump();
  #open = true;
  #abandoned = false;
  #handledCount = 0;
  #settled: (() => void)[] = [];

  constructor(scope: CallScope, settings: WorkSettings, ports: WorkPorts, progress: WorkProgress) {
    this.#scope = scope;
    this.#settings = settings;
    this.#ports = ports;
    this.#progress = progress;
    const { handler, clock } = ports;
    this.#batching =
      typeof handler === 'function' ? undefined : new Batching(handler.limits, clock, this.#resume);
    this.#concurrency = this.#batching ? 1 : (settings.concurrency ?? 1);
    this.#queues = new KeyQueues(this.#concurrency);
    this.#failures = new Failures(scope, settings.failure, ports, {
      again: (entry) => {
        this.#queues.putBack(entry);
        this.#pump();
      },
      done: (entry, how) => this.#settle([entry], how),
      left: (entry) => this.#leave(entry),
      halted: (entry, message) => this.#halt(entry, { kind: 'halted', message }),
      stored: () => {
        this.#pump();
        this.#tellSettled();
      },
    });
  }

  /** Messages that were accepted and are not settled. */
  get waiting(): number {
    return this.#queues.size;
  }

  /** Messages that were settled. */
  get handled(): number {
    return this.#handledCount;
  }

  /** Sequences of the messages whose handlers run. */
  get running(): number[] {
    return [...this.#running.values()].flat().map(({ message }) => message.sequence);
  }

  /** Takes the next message of the partition. */
  accept(message: StreamMessage): void {
    if (!this.#open) return;
    const { handler } = this.#ports;
    this.#batching?.arrived(message);
    // If nothing waits, a synchronous handler costs no bookkeeping and no promise.
    if (typeof handler === 'function' && this.#queues.size === 0 && this.#mayStart() && this.#admit())
      this.#callAtOnce(handler, message);
    else {
      this.#queues.add(message);
      this.#pump();
    }
    this.#tellStarving();
  }

  /** Starts no more calls. Waiting messages are dropped; they stay in the stream. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#batching?.close();
    this.#failures.close();
  }

  /** Closes, aborts running handlers, and reports nothing more: their results no longer count. */
  abandon(reason: string): void {
    this.close();
    this.#abandoned = true;
    this.interrupt(reason);
  }

  /** Aborts running handlers. Their messages are retried, not counted as failed. */
  interrupt(reason: string): void {
    for (const call of this.#running.keys()) call.abort(reason);
  }

  /** Resolves with true when no handler runs and nothing is being stored, with false after `withinMs`. */
  settles(withinMs: number): Promise<boolean> {
    if (this.#idle) return Promise.resolve(true);
    return new Promise((resolve) => {
      const { clock } = this.#ports;
      const cancel = clock.at(clock.now() + withinMs, () => resolve(false));
      this.#settled.push(() => {
        cancel();
        resolve(true);
      });
    });
  }

  get #idle(): boolean {
    return this.#running.size === 0 && this.#failures.storing === 0;
  }

  /**
   * Checks the time slice first: a partition that has used up its slice waits behind the others even if the permit has
   * ended meanwhile.
   */
  #mayStart(): boolean {
    const { clock, permit, slice } = this.#ports;
    const now = clock.now();
    if (!slice.has(now)) slice.whenNext(this.#resume);
    else if (!permit.isOpenAt(now)) permit.whenOpen(this.#resume);
    else return true;
    return false;
  }

  #admit(): boolean {
    const { quota } = this.#ports;
    if (!quota || quota.take()) return true;
    quota.whenAny(this.#resume);
    return false;
  }

  /** Starts calls until it has to wait. */
  #pump(): void {
    while (this.#open && this.#queues.hasReady && this.#running.size < this.#concurrency) {
      const run = this.#next();
      const [first] = run;
      if (!first) return;
      this.#queues.take();
      this.#batching?.taken(run.at(-1)?.behind !== undefined);
      this.#call(first, run);
    }
  }

  /** The messages of the next call: one, or a batch; none: it is not due, or may not start. */
  #next(): Entry[] {
    const first = this.#queues.peek();
    const due = this.#batching ? this.#batching.next(this.#queues) : first && [first];
    if (!due || !this.#mayStart()) return [];
    // The quota may end within a batch.
    const end = due.findIndex((entry) => {
      entry.admitted ||= this.#admit();
      return !entry.admitted;
    });
    return end < 0 ? due : due.slice(0, end);
  }

  /** Calls the handler for a message while nothing waits: it becomes an entry only if the call lasts or fails. */
  #callAtOnce(handler: Handler, message: StreamMessage): void {
    const call = this.#newCall(message, 1);
    let running: Promise<unknown> | undefined;
    try {
      running = promiseOf(handler(message, call));
    } catch (error) {
      this.#failed([this.#takeNew(message)], call, error);
      return;
    }
    if (running) this.#watch([this.#takeNew(message)], call, running);
    else {
      this.#progress.advanced(message, 1);
      this.#handled(message, 'handled');
    }
  }

  /** An entry for a message whose call has already started. */
  #takeNew(message: StreamMessage): Entry {
    const entry = this.#queues.add(message);
    entry.admitted = true;
    this.#queues.take();
    return entry;
  }

  #newCall(message: StreamMessage, attempt: number): HandlerCall {
    this.#ports.slice.calls(this.#scope.partition, message.sequence);
    return new HandlerCall(this.#scope, message, attempt);
  }

  #call({ message, attempt }: Entry, run: readonly Entry[]): void {
    const { handler } = this.#ports;
    const call = this.#newCall(message, attempt);
    let running: Promise<unknown> | undefined;
    try {
      running = promiseOf(
        typeof handler === 'function'
          ? handler(message, call)
          : handler.handler(
              run.map((entry) => entry.message),
              call,
            ),
      );
    } catch (error) {
      this.#failed(run, call, error);
      return;
    }
    if (running) this.#watch(run, call, running);
    else this.#settle(run);
  }

  #watch(run: readonly Entry[], call: HandlerCall, running: Promise<unknown>): void {
    this.#running.set(call, run);
    followCall(call, running, this.#ports.clock, this.#settings.handlerTimeoutMs, (failure) => {
      this.#running.delete(call);
      if (failure) this.#failed(run, call, failure.error);
      else this.#settle(run);
      this.#pump();
      this.#tellStarving();
      this.#tellSettled();
    });
  }

  /** These messages, which follow one another, are settled. */
  #settle(run: readonly Entry[], how: Dealt = 'handled'): void {
    const [first] = run;
    if (!first) return;
    const advance = this.#queues.complete(first, run.at(-1));
    if (this.#batching) for (const { message } of run) this.#batching.settled(message);
    if (advance) this.#progress.advanced(advance.message, advance.messages);
    for (const entry of run) {
      if (this.#abandoned) this.#leave(entry);
      else this.#handled(entry.message, how);
    }
  }

  #handled(message: StreamMessage, how: Dealt): void {
    if (this.#abandoned) return;
    this.#handledCount++;
    this.#ports.events.handled(message, how);
  }

  /** A call has failed: as a whole, or from one message on. What follows the failed message waits behind it. */
  #failed(run: readonly Entry[], call: HandlerCall, error: unknown): void {
    const index = this.#batching && FailedAt.indexIn(error);
    const isAtOne = index !== undefined;
    const at = isAtOne ? Math.min(index, run.length - 1) : 0;
    const [entry, ...behind] = run.slice(at);
    if (!entry) return;
    if (at > 0) {
      this.#settle(run.slice(0, at));
      this.#queues.take();
    }
    for (const other of behind) this.#leave(other);
    if (!this.#open) this.#leave(entry);
    else if (error instanceof StopConsuming) this.#halt(entry, { kind: 'stopped', error });
    // We aborted its signal, so the message has not failed.
    else if (call.interrupted) this.#queues.putBack(entry);
    else {
      const why = isAtOne && error instanceof Error ? error.cause : error;
      const next = this.#failures.decide(entry, why);
      if (isAtOne || behind.length === 0 || next.kind === 'retry') this.#failures.follow(entry, why, next);
      else this.#isolate(entry, run, why);
    }
  }

  /** A batch that is not tried again is tried one message at a time, each as often as any other: only the one that fails is dealt with. */
  #isolate(first: Entry, batch: readonly Entry[], error: unknown): void {
    this.#ports.events.attemptFailed(first.message, first.attempt, error, 'retry');
    this.#batching?.isolate(batch);
    first.attempt = 1;
    this.#queues.putBack(first);
  }

  #halt(entry: Entry, halt: Halt): void {
    this.close();
    this.#leave(entry);
    this.#progress.halting(halt);
  }

  /** The message stays unhandled here. */
  #leave(entry: Entry): void {
    if (entry.admitted) this.#ports.quota?.giveBack();
    entry.admitted = false;
  }

  /** With a concurrency of 1 all messages wait in one lane, so another message would not help. */
  #tellStarving(): void {
    if (this.#concurrency === 1 || !this.#open || this.#queues.size === 0 || this.#queues.hasReady) return;
    if (this.#running.size < this.#concurrency) this.#progress.starving();
  }

  #tellSettled(): void {
    if (!this.#idle) return;
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }
}
