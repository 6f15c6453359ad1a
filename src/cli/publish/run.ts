import { type Clock, systemClock } from '../../core/lib/clock.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { describeBreak, describeReturn } from '../../core/member/status-lines.js';
import { Publisher } from '../../core/publisher/publisher.js';
import type { PublisherOptions } from '../../core/publisher/publisher-options.js';
import type { OutgoingMessage, PublishCounters } from '../../core/publisher/types.js';
import { LatencyRecorder, type LatencySummary } from './latency.js';
import { Pacer } from './pacer.js';
import type { MessageSource } from './source.js';

/** Options of a run. It ends with its source, at a limit, or when it is stopped. */
export interface PublishRunOptions extends Omit<PublisherOptions, 'observer'> {
  source: MessageSource;
  /** Messages per second; default: as fast as possible. */
  rate?: number | undefined;
  maxMessages?: number | undefined;
  durationMs?: number | undefined;
  /** When this signal aborts, the run stops sending and waits for the messages in flight. */
  signal?: AbortSignal | undefined;
  /** Writes a line for people. */
  note?: ((line: string) => void) | undefined;
  /** Whether a failed message stops the run, or is only counted. */
  onFailure: 'stop' | 'continue';
  /** Called for each confirmed message. If it throws, the run stops. */
  onConfirmed?:
    | ((message: OutgoingMessage, partition: number, sequence: number, duplicate: boolean) => void)
    | undefined;
}

/** The result of a run. Times are in milliseconds. */
export interface PublishSummary extends PublishCounters {
  /** Lines skipped because they could not be used. */
  skipped: number;
  /** The time from the first message to the last answer. */
  elapsedMs: number;
  /** Confirmed messages per second during `elapsedMs`. */
  ratePerSecond: number;
  /** How much of a paced schedule was dropped after stalls, in milliseconds. */
  missedMs: number;
  /** From the time at which a message was due until its confirmation. */
  latency: LatencySummary;
  /** Why sending ended early; null if it ended at the end of the source or at a limit. */
  stopped: 'signal' | 'failure' | null;
  /** The first failure of a message or of the source. */
  firstError: NatspocError | null;
}

/** A loop that never waits yields to timers and signals after this many messages. */
const YIELD_EVERY = 8_192;

/** Publishes the messages of a source: paced, limited and stoppable, with live counters. */
export class PublishRun {
  readonly publisher: Publisher;
  readonly #options: PublishRunOptions;
  readonly #clock: Clock;
  readonly #latency = new LatencyRecorder();
  #pacer: Pacer | undefined;
  #startMs = 0;
  #lastAnswerMs = 0;
  #sent = 0;
  /** The message that is being sent. The publisher refuses a bad message during the call. */
  #sending: OutgoingMessage | undefined;
  #stopped: PublishSummary['stopped'] = null;
  #firstError: NatspocError | null = null;
  /** Ends the current wait of the loop, if any. */
  #wake: () => void = () => {};

  constructor(options: PublishRunOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { onConfirmed } = options;
    this.publisher = new Publisher({
      ...options,
      observer: {
        confirmed: (message, partition, sequence, duplicate, dueMs, nowMs) => {
          this.#latency.record(nowMs - dueMs);
          this.#lastAnswerMs = nowMs;
          if (onConfirmed) this.#guard(() => onConfirmed(message, partition, sequence, duplicate));
        },
        disconnected: (about) => options.note?.(describeBreak(about)),
        reconnected: (about) => options.note?.(describeReturn(about)),
        failed: (message, { error }) =>
          this.#failed(message === this.#sending ? this.#located(error) : error),
      },
    });
  }

  /** Publishes all messages of the run. May be called only once. */
  async run(): Promise<PublishSummary> {
    const { signal, source, rate } = this.#options;
    const onStop = () => this.#stop('signal');
    if (signal?.aborted) onStop();
    else signal?.addEventListener('abort', onStop, { once: true });
    this.#startMs = this.#clock.now();
    this.#lastAnswerMs = this.#startMs;
    if (rate !== undefined) this.#pacer = new Pacer(rate, this.#startMs);
    try {
      await this.#loop();
    } catch (error) {
      this.#failed(asNatspocError(error));
      this.#stop('failure');
    } finally {
      source.close();
      // Messages have deadlines, so this ends even if the server never answers.
      await this.publisher.close();
      signal?.removeEventListener('abort', onStop);
    }
    return this.summary();
  }

  /** The current state of the run. */
  summary(): PublishSummary {
    const elapsedMs = (this.publisher.pending > 0 ? this.#clock.now() : this.#lastAnswerMs) - this.#startMs;
    const { counters } = this.publisher;
    return {
      ...counters,
      skipped: this.#options.source.skipped,
      elapsedMs,
      ratePerSecond: elapsedMs > 0 ? (counters.confirmed / elapsedMs) * 1_000 : 0,
      missedMs: this.#pacer?.missedMs ?? 0,
      latency: this.#latency.summary(),
      stopped: this.#stopped,
      firstError: this.#firstError,
    };
  }

  async #loop(): Promise<void> {
    const {
      source,
      maxMessages = Number.POSITIVE_INFINITY,
      durationMs = Number.POSITIVE_INFINITY,
    } = this.#options;
    const endMs = this.#startMs + durationMs;
    const isTimed = this.#pacer !== undefined || endMs < Number.POSITIVE_INFINITY;
    let sinceYield = 0;
    while (this.#stopped === null && this.#sent < maxMessages) {
      let dueMs: number | undefined;
      if (isTimed) {
        const nowMs = this.#clock.now();
        if (nowMs >= endMs) return;
        dueMs = this.#pacer?.take(nowMs);
        if (this.#pacer && dueMs === undefined) {
          await this.#sleepUntil(Math.min(endMs, this.#pacer.nextMs()));
          sinceYield = 0;
          continue;
        }
      }
      let message = source.next();
      if (message instanceof Promise) {
        message = await this.#orStop(message, endMs);
        // The input had no message before, so this one was not due earlier.
        dueMs = undefined;
      }
      if (message === undefined) return;
      this.#sent++;
      this.#sending = message;
      const full = this.publisher.send(message, dueMs);
      this.#sending = undefined;
      if (full) {
        await this.#orStop(full, endMs);
        sinceYield = 0;
      } else if (++sinceYield === YIELD_EVERY) {
        await new Promise((resolve) => setImmediate(resolve));
        sinceYield = 0;
      }
    }
  }

  #stop(reason: NonNullable<PublishSummary['stopped']>): void {
    this.#stopped ??= reason;
    this.#wake();
  }

  /** Adds the place of the message in the input to an error. */
  #located(error: NatspocError): NatspocError {
    const { place } = this.#options.source;
    if (place === undefined) return error;
    const message = `${place}: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
    return new NatspocError(error.code, message, { cause: error });
  }

  #failed(error: NatspocError): void {
    this.#firstError ??= error;
    this.#lastAnswerMs = this.#clock.now();
    if (this.#options.onFailure === 'stop') this.#stop('failure');
  }

  /** Runs the caller's code. Its errors must not reach the connection. */
  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#firstError ??= asNatspocError(error);
      this.#stop('failure');
    }
  }

  /** Waits for a promise, but not beyond the end or the stop of the run. Then resolves with `undefined`. */
  async #orStop<T>(promise: Promise<T>, endMs: number): Promise<T | undefined> {
    const end = new Promise<undefined>((resolve) => {
      this.#wake = () => resolve(undefined);
    });
    const cancel = endMs < Number.POSITIVE_INFINITY ? this.#clock.at(endMs, () => this.#wake()) : undefined;
    try {
      return await Promise.race([promise, end]);
    } finally {
      cancel?.();
    }
  }

  #sleepUntil(atMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.at(atMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

function asNatspocError(error: unknown): NatspocError {
  return error instanceof NatspocError
    ? error
    : new NatspocError('failed', messageOf(error), { cause: error });
}
