import type { Cancel, Clock } from '../../lib/clock.js';
import { messageOf } from '../../lib/errors.js';
import type { HandlerLog, Logger, LogLevel } from './logger.js';

/** The context of the functions `acquire` and `release`. */
export interface StateContext {
  /** The fencing token of the owner. */
  readonly epoch: number;
  /** Aborts when the partition is lost. The state of a lost partition is not released. */
  readonly signal: AbortSignal;
  /** The log of `acquire` and `release`. Each line also contains the partition. */
  readonly log: HandlerLog;
}

/** Functions of the program. `acquire` is called when a partition starts at this member, `release` when the member drains it. */
export interface StateHooks {
  acquire?: ((partition: number, context: StateContext) => unknown) | undefined;
  release?: ((partition: number, state: unknown, context: StateContext) => unknown) | undefined;
}

/**
 * The program's state of one partition under one epoch. It is acquired before the partition's first message, and released before the last
 * commit.
 */
export class PartitionState {
  readonly epoch: number;
  readonly #partition: number;
  readonly #hooks: StateHooks;
  readonly #logger: Logger;
  readonly #controller = new AbortController();
  #acquiring: Promise<void> | undefined;
  #isPending = false;
  /** True from the end of `release` until the state is acquired again. */
  #isReleased = false;
  #value: unknown;

  constructor(partition: number, epoch: number, hooks: StateHooks, logger: Logger) {
    this.#partition = partition;
    this.epoch = epoch;
    this.#hooks = hooks;
    this.#logger = logger;
  }

  /** The result of `acquire`. */
  get value(): unknown {
    return this.#value;
  }

  /** True while `acquire` runs. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /**
   * Resolves when the program has acquired the state. The program's `acquire` is called once. If it rejects, the next call of this method
   * calls it again.
   */
  acquire(): Promise<void> {
    this.#acquiring ??= this.#acquire().catch((error) => {
      this.#acquiring = undefined;
      throw error;
    });
    return this.#acquiring;
  }

  /**
   * Releases the state, if the program has acquired it or is acquiring it. Resolves with false if the release failed or took too long. In
   * both cases, the error is logged, and the signal is aborted.
   */
  async release(until: number, clock: Clock): Promise<boolean> {
    if (!this.#acquiring) return true;
    let cancel: Cancel = () => {};
    const late = new Promise<never>((_resolve, reject) => {
      cancel = clock.at(until, () => reject(new Error('it takes too long')));
    });
    try {
      await Promise.race([this.#release(this.#acquiring), late]);
      return true;
    } catch (error) {
      this.lose(error instanceof Error ? error : new Error(messageOf(error)));
      this.#context.log.error(`release failed: ${messageOf(error)}`);
      return false;
    } finally {
      cancel();
    }
  }

  /** Aborts the signal because the partition is lost, or because releasing its state failed. A released state cannot be lost. */
  lose(reason: Error): void {
    if (!this.#isReleased) this.#controller.abort(reason);
  }

  async #acquire(): Promise<void> {
    this.#isPending = true;
    this.#isReleased = false;
    try {
      this.#value = await this.#hooks.acquire?.(this.#partition, this.#context);
    } finally {
      this.#isPending = false;
    }
  }

  async #release(acquiring: Promise<void>): Promise<void> {
    await acquiring;
    this.#acquiring = undefined;
    await this.#hooks.release?.(this.#partition, this.#value, this.#context);
    this.#value = undefined;
    this.#isReleased = true;
  }

  get #context(): StateContext {
    const at = (level: LogLevel) => (text: string) =>
      this.#logger[level]({ partition: this.#partition, epoch: this.epoch }, `p${this.#partition}: ${text}`);
    const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
    return { epoch: this.epoch, signal: this.#controller.signal, log };
  }
}
