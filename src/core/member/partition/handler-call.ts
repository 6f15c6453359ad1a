import { messageOf } from '../../lib/errors.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { HandlerContext, Logger } from './handler.js';

/** What the calls of one partition under one epoch have in common. */
export interface CallScope {
  readonly partition: number;
  readonly epoch: number;
  readonly logger: Logger;
}

/**
 * One call of a handler, and its context. Everything that costs something (signal, headers, logger) is made
 * only for handlers that look at it.
 */
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

  get log(): Logger {
    const { logger, partition } = this.#scope;
    const about = (text: string): string => `p${partition} #${this.#message.sequence}: ${text}`;
    return {
      debug: (text) => logger.debug(about(text)),
      info: (text) => logger.info(about(text)),
      warn: (text) => logger.warn(about(text)),
      error: (text) => logger.error(about(text)),
    };
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** True when it was told to stop for our reasons: what it ends with then says nothing about the message. */
  get interrupted(): boolean {
    return this.#reason !== undefined && this.#failure === undefined;
  }

  /** What it was declared failed with while it ran, if it was. */
  get failure(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Tells the handler through its signal. */
  abort(reason: string | Error): void {
    this.#reason ??= typeof reason === 'string' ? new Error(reason) : reason;
    this.#controller?.abort(this.#reason);
  }

  /** Called once when the running call is declared failed. */
  onFailure(listener: () => void): void {
    this.#condemned = listener;
  }

  /** No longer running: nothing can be declared about it any more. */
  settled(): void {
    this.#condemned = undefined;
  }

  /**
   * Declares the call failed while it runs, whatever it returns later, and tells it to stop.
   *
   * @returns false when it has settled already: too late.
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
