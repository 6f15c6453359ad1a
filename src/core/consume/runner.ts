import type { Clock } from '../clock.js';
import { messageOf, type NatspocError } from '../errors.js';
import type { Bucket, EventStream, Reader, ReaderWindow, StreamMessage } from '../ports.js';
import { type CommitPolicy, Committer } from './committer.js';
import type { Gate } from './gate.js';
import type { Handler, HandlerContext } from './handler.js';
import { readerName, type Takeover, takeOver } from './opening.js';
import { type FailurePolicy, nextStep } from './retry.js';

/** After its signal was aborted a handler may take this long to settle before its partition goes without it. */
const ABORT_GRACE_MS = 250;
/** How long the last commit of a drain may take. */
const FLUSH_MS = 2_000;

/** How a partition is handled. */
export interface RunnerSettings {
  commit: CommitPolicy;
  failure: FailurePolicy;
  drainTimeoutMs: number;
}

/** What a runner tells its member; nothing is told after the runner has ended. */
export interface RunnerEvents {
  started(): void;
  /** A message is handled, or passed over by policy. */
  handled(message: StreamMessage): void;
  committed(sequence: number, sentAt: number): void;
  /** It cannot go on for a passing reason: start it again. */
  failed(message: string): void;
  /** A message cannot be handled; the position stays before it. */
  halted(message: string): void;
  /** One attempt failed and will be repeated, or the message was passed over. */
  attemptFailed(message: StreamMessage, attempt: number, error: unknown, then: 'retry' | 'skip'): void;
  /** Nothing helps: not permitted, bucket or stream deleted. */
  terminal(error: NatspocError): void;
}

/** What a runner works with. */
export interface RunnerPorts {
  bucket: Bucket;
  stream: EventStream;
  clock: Clock;
  gate: Gate;
  handler: Handler;
  /** See {@link CommitterPorts.barrier}. */
  barrier?: (() => Promise<void> | undefined) | undefined;
}

/**
 * One partition under one epoch: takes over the position, reads, handles one message at a time in order, and
 * commits. Ends by `drain`, `abort`, or by itself with one of the events.
 */
export class PartitionRunner {
  readonly #takeover: Takeover;
  readonly #settings: RunnerSettings;
  readonly #ports: RunnerPorts;
  readonly #events: RunnerEvents;
  #window: ReaderWindow;
  #reader: Reader | undefined;
  #committer: Committer | undefined;
  #queue: StreamMessage[] = [];
  #head = 0;
  #received = 0;
  #handledCount = 0;
  #attempt = 1;
  /** What the partition waits for, if anything. */
  #waitsFor: 'nothing' | 'handler' | 'retry' | 'permission' = 'nothing';
  #call: HandlerCall | undefined;
  #settled: (() => void)[] = [];
  #phase: 'running' | 'draining' | 'ended' = 'running';
  #cancelRetry: (() => void) | undefined;

  constructor(
    takeover: Takeover,
    window: ReaderWindow,
    settings: RunnerSettings,
    ports: RunnerPorts,
    events: RunnerEvents,
  ) {
    this.#takeover = takeover;
    this.#window = window;
    this.#settings = settings;
    this.#ports = ports;
    this.#events = events;
  }

  /** Where it stands: the last handled sequence (0 before the start), and how many it has handled. */
  get status(): { position: number; handled: number; state: 'starting' | 'running' | 'draining' } {
    const state = this.#phase !== 'running' ? 'draining' : this.#reader ? 'running' : 'starting';
    return { position: this.#committer?.handledUpTo ?? 0, handled: this.#handledCount, state };
  }

  /** Takes the partition over and starts to handle. `after`: what must have ended before, such as an older runner. */
  async start(after: Promise<void>): Promise<void> {
    await after;
    if (this.#phase !== 'running') return;
    const { partition, epoch, group } = this.#takeover;
    const taken = await takeOver(this.#takeover, this.#ports);
    if (this.#phase !== 'running') return;
    if (taken.kind !== 'taken') {
      if (taken.kind === 'failed') this.#terminal(taken.error);
      else this.#fail(taken.kind === 'fenced' ? 'a newer owner was here' : taken.message);
      return;
    }
    this.#received = taken.sequence;
    this.#committer = new Committer(
      { group, partition, epoch, revision: taken.revision, sequence: taken.sequence },
      this.#settings.commit,
      this.#ports,
      {
        committed: (sequence, sentAt) => {
          if (this.#phase !== 'ended') this.#events.committed(sequence, sentAt);
        },
        fenced: () => this.#fail('a newer owner has taken over'),
        vanished: () => this.#fail('its position is gone'),
        failed: (error) => this.#terminal(error),
      },
    );
    if (await this.#open()) this.#events.started();
  }

  /** Changes how much may wait in memory. */
  resize(window: ReaderWindow): void {
    this.#window = window;
    this.#reader?.resize(window);
  }

  /**
   * Stops taking messages, lets the one in hand finish, commits. A handler that takes longer than the drain
   * timeout is told through its signal, and the partition ends at the last committed position.
   */
  async drain(): Promise<void> {
    if (this.#phase === 'ended') return;
    this.#phase = 'draining';
    this.#reader?.close();
    this.#queue.length = Math.min(this.#queue.length, this.#head + (this.#waitsFor === 'handler' ? 1 : 0));
    this.#cancelRetry?.();
    if (!(await this.#handlerSettles(this.#settings.drainTimeoutMs))) {
      this.#call?.abort('draining takes too long');
      await this.#handlerSettles(ABORT_GRACE_MS);
    }
    if (this.#isEnded()) return;
    await this.#committer?.flush(FLUSH_MS);
    this.#end('drained');
  }

  /** Stops at once: tells the handler, commits nothing more. Resolves when the handler has settled. */
  async abort(reason: string): Promise<void> {
    this.#end(reason);
    await this.#handlerSettles(this.#settings.drainTimeoutMs);
  }

  /** Tells a running handler that this member is out of touch; the message is tried again, not counted as failed. */
  interrupt(): void {
    this.#call?.abort('out of touch with the group');
  }

  #isEnded(): boolean {
    return this.#phase === 'ended';
  }

  #end(reason: string): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#cancelRetry?.();
    this.#reader?.close();
    this.#committer?.end();
    this.#queue = [];
    this.#call?.abort(reason);
  }

  #fail(message: string): void {
    if (this.#phase === 'ended') return;
    this.#end(message);
    this.#events.failed(message);
  }

  #terminal(error: NatspocError): void {
    if (this.#phase === 'ended') return;
    this.#end(error.message);
    this.#events.terminal(error);
  }

  /** Opens a reader behind what we have received. */
  async #open(): Promise<boolean> {
    const { partition, epoch, group } = this.#takeover;
    const opened = await this.#ports.stream.open(
      {
        name: readerName(group, partition, epoch),
        partition,
        startSequence: this.#received + 1,
        window: this.#window,
      },
      {
        message: (message) => this.#receive(message),
        fault: () => void this.#reopen(),
      },
    );
    if (this.#phase !== 'running') {
      if (opened.kind === 'ok') opened.reader.close();
      return false;
    }
    if (opened.kind === 'ok') {
      this.#reader = opened.reader;
      return true;
    }
    if (opened.kind === 'failed') this.#terminal(opened.error);
    else this.#fail('its reader could not be opened in time');
    return false;
  }

  /** The one cure for every fault of a reader: delete it and open another. What has arrived stays valid. */
  async #reopen(): Promise<void> {
    const { partition, epoch, group } = this.#takeover;
    this.#reader = undefined;
    if (this.#phase !== 'running') return;
    const removed = await this.#ports.stream.remove(readerName(group, partition, epoch));
    if (this.#phase !== 'running') return;
    if (removed === 'unknown') this.#fail('its reader could not be deleted in time');
    else await this.#open();
  }

  #receive(message: StreamMessage): void {
    if (this.#phase !== 'running') return;
    this.#received = message.sequence;
    this.#queue.push(message);
    if (this.#waitsFor === 'nothing') this.#pump();
  }

  /** Handles what waits, in order, until something has to be waited for. */
  #pump(): void {
    this.#waitsFor = 'nothing';
    while (this.#phase === 'running') {
      const message = this.#queue[this.#head];
      if (!message) break;
      if (!this.#ports.gate.isOpen) {
        this.#waitForPermission();
        return;
      }
      if (!this.#handle(message)) return;
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
  }

  /** Calls the handler. True: it is done with the message already; a synchronous handler costs no promise. */
  #handle(message: StreamMessage): boolean {
    const { partition, epoch } = this.#takeover;
    const call = new HandlerCall(partition, epoch, this.#attempt);
    this.#call = call;
    let result: void | Promise<void>;
    try {
      result = this.#ports.handler(message, call);
    } catch (error) {
      this.#failedAttempt(message, call, error);
      return false;
    }
    if (!(result instanceof Promise)) {
      this.#done(message);
      return true;
    }
    this.#waitsFor = 'handler';
    result.then(
      () => {
        this.#done(message);
        this.#handlerSettled();
        this.#pump();
      },
      (error: unknown) => {
        this.#failedAttempt(message, call, error);
        this.#handlerSettled();
      },
    );
    return false;
  }

  #waitForPermission(): void {
    this.#waitsFor = 'permission';
    this.#ports.gate.whenOpen(() => {
      if (this.#waitsFor === 'permission') this.#pump();
    });
  }

  #done(message: StreamMessage): void {
    this.#attempt = 1;
    if (this.#phase === 'ended') return;
    this.#head++;
    this.#handledCount++;
    if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#reader?.release(1, message.size);
    this.#committer?.handled(message.sequence, this.#head === this.#queue.length);
    this.#events.handled(message);
  }

  #failedAttempt(message: StreamMessage, call: HandlerCall, error: unknown): void {
    this.#waitsFor = 'nothing';
    if (this.#phase !== 'running') return;
    if (call.aborted) {
      // We told it to stop: that is no failure of the message.
      this.#waitForPermission();
      return;
    }
    const { clock } = this.#ports;
    const next = nextStep(this.#settings.failure, this.#attempt, Math.random());
    if (next.kind === 'halt') {
      const tries = this.#attempt === 1 ? 'failed' : `failed ${this.#attempt} times`;
      void this.#halt(`message ${message.sequence} ${tries}: ${messageOf(error)}`);
    } else if (next.kind === 'skip') {
      this.#events.attemptFailed(message, this.#attempt, error, 'skip');
      this.#done(message);
      // Not from here: a run of messages that fail at once would pile up calls.
      this.#waitsFor = 'retry';
      queueMicrotask(() => this.#pump());
    } else {
      this.#events.attemptFailed(message, this.#attempt, error, 'retry');
      this.#attempt++;
      this.#waitsFor = 'retry';
      this.#cancelRetry = clock.at(clock.now() + next.delayMs, () => this.#pump());
    }
  }

  /** Gives up: what was handled before is committed, the position stays before the message that failed. */
  async #halt(message: string): Promise<void> {
    await this.drain();
    this.#events.halted(message);
  }

  #handlerSettled(): void {
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }

  /** Resolves with true when no handler runs (any more), with false after `withinMs`. */
  #handlerSettles(withinMs: number): Promise<boolean> {
    if (this.#waitsFor !== 'handler') return Promise.resolve(true);
    return new Promise((resolve) => {
      const { clock } = this.#ports;
      const cancel = clock.at(clock.now() + withinMs, () => resolve(false));
      this.#settled.push(() => {
        cancel();
        resolve(true);
      });
    });
  }
}

/** The context of one call of a handler; its signal is made only for handlers that look at it. */
class HandlerCall implements HandlerContext {
  readonly partition: number;
  readonly epoch: number;
  readonly attempt: number;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(partition: number, epoch: number, attempt: number) {
    this.partition = partition;
    this.epoch = epoch;
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  abort(why: string): void {
    this.#reason ??= new Error(why);
    this.#controller?.abort(this.#reason);
  }
}
