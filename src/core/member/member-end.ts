import { messageOf, NatspocError } from '../lib/errors.js';
import { withoutStop } from '../lib/text.js';

/** The end of a member, and the error that ended it, if any. */
export class MemberEnd {
  #settle!: { resolve: () => void; reject: (error: unknown) => void };
  #closed: Promise<void> | undefined;
  /** Why the handler can handle no message. */
  #handlerFailed: NatspocError | undefined;
  /**
   * Settles when the member has ended, or could not start. `ready` awaits this promise instead of `closed`. Otherwise a rejection of
   * `closed` would count as handled, and Node would not report it.
   */
  readonly ended = new Promise<void>((resolve, reject) => {
    this.#settle = { resolve, reject };
  });

  /** Settles like `ended`, for the program. If nothing handles its rejection, Node ends the process. */
  get closed(): Promise<void> {
    this.#closed ??= this.ended.then(() => {});
    return this.#closed;
  }

  /** Records an error of the handler, with which the member will end. Only the first error counts. */
  handlerFailed(cause: Error): void {
    this.#handlerFailed ??= new NatspocError(
      'handler-failed',
      `The handler has stopped: ${withoutStop(messageOf(cause))}.`,
      { cause },
    );
  }

  /** Ends the member when its engine has ended: with the error of the handler or of the engine, if any. */
  follow(engineEnded: Promise<void>): void {
    engineEnded
      .then(() => {
        if (this.#handlerFailed) throw this.#handlerFailed;
      })
      .then(this.#settle.resolve, this.#settle.reject);
  }

  /** Ends a member that could not start. */
  notStarted(error: unknown): void {
    this.#settle.reject(error);
  }
}
