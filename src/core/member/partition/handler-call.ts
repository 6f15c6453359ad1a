import { messageOf } from '../../lib/errors.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { HandlerContext } from './handler.js';
import type { HandlerLog, Logger, LogLevel } from './logger.js';

/** The data that all calls of one partition under one epoch share. */
export interface CallScope {
  readonly partition: number;
  readonly epoch: number;
  readonly logger: Logger;
  /** Holds the state that the program keeps for the partition. */
  readonly state?: { readonly value: unknown } | undefined;
}

/** One call of a handler, and its context. Handlers cannot replace its methods, which the member calls. */
export class HandlerCall implements HandlerContext {
  readonly attempt: number;
  readonly #scope: CallScope;
  readonly #message: StreamMessage;
  #headers: Record<string, string> | undefined;
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #condemned: (() => void) | undefined;
  #failure: { error: unknown } | undefined;

  constructor(scope: CallScope, message: StreamMessage, attempt: number) {
    this.#scope = scope;
    this.#message = message;
    this.attempt = attempt;
  }

  get partition(): number {
    return this.#scope.partition;
  }

  get epoch(): number {
    return this.#scope.epoch;
  }

  get key(): string | null {
    return this.#message.key;
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= this.#message.headers();
    return this.#headers;
  }

  get state(): unknown {
    return this.#scope.state?.value;
  }

  get log(): HandlerLog {
    const { logger, partition, epoch } = this.#scope;
    const { attempt } = this;
    const { sequence } = this.#message;
    const at = (level: LogLevel) => (text: string) =>
      logger[level]({ partition, sequence, attempt, epoch }, `p${partition} #${sequence}: ${text}`);
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /**
   * True if the call's signal was aborted and the call was not declared failed. The result of an interrupted call
   * proves nothing about the message.
   */
  get interrupted(): boolean {
    return this.#reason !== undefined && this.#failure === undefined;
  }

  /** True if the call's signal has aborted, for any reason. */
  get isStopped(): boolean {
    return this.#reason !== undefined;
  }

  /** The failure that was declared while the call ran, if any. */
  get failure(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Aborts the handler's signal. */
  abort(reason: string | Error): void {
    this.#reason ??= typeof reason === 'string' ? new Error(reason) : reason;
    this.#controller?.abort(this.#reason);
  }

  /** Sets the listener that is called once when the running call is declared failed. */
  onFailure(listener: () => void): void {
    this.#condemned = listener;
  }

  /** Marks the call as ended, so that it can no longer be declared failed. */
  settled(): void {
    this.#condemned = undefined;
  }

  /**
   * Declares the running call failed, regardless of its later result, and aborts its signal.
   *
   * @returns false if the call has ended already.
   */
  fail(error: unknown): boolean {
    const condemned = this.#condemned;
    if (!condemned) return false;
    this.#condemned = undefined;
    this.#failure = { error };
    this.abort(error instanceof Error ? error : new Error(messageOf(error)));
    condemned();
    return true;
  }
}

Object.freeze(HandlerCall.prototype);
