import type { StreamMessage } from '../../protocol/message.js';
import type { Handler, HandlerContext } from './handler.js';
import { HandlerCall } from './handler-call.js';
import { type CallLimit, RoomQueue } from './slots.js';

/** A message that was given to a loop, or that waits for a loop. */
interface Item {
  message: StreamMessage;
  context: HandlerContext;
  handled(): void;
  /** To be called when the program leaves the loop while it handles the message. The message does not count as failed. */
  left(): void;
}

/**
 * Gives messages to loops of the program instead of a handler. No more calls start than loops ask for a message. A message counts as
 * handled when its loop asks for the next message.
 */
export class MessageLoops implements CallLimit {
  readonly #queue = new RoomQueue();
  /** The callbacks of loops that wait for a message; undefined ends a loop. */
  #asking: ((item: Item | undefined) => void)[] = [];
  /** Started calls whose message has not reached a loop yet, for example because it is being decoded. Each reserves one of `#asking`. */
  readonly #coming = new Set<HandlerContext>();
  #isOver = false;

  get reason(): string {
    return this.#asking.length > 0
      ? 'the next message for the loop over member.messages() is still being prepared, for example decoded'
      : 'the loop over member.messages() has not asked for the next message';
  }

  get hasRoom(): boolean {
    return this.#asking.length > this.#coming.size;
  }

  take(call: HandlerContext): void {
    this.#coming.add(call);
  }

  giveBack(call: HandlerContext): void {
    if (this.#coming.delete(call)) this.#wake();
  }

  whenRoom(resume: () => void): void {
    this.#queue.add(resume);
  }

  /** The handler of the member. */
  readonly handler: Handler = (message, context) =>
    new Promise<void>((resolve, reject) => {
      const left = (): void => {
        const why = 'the loop was left';
        if (context instanceof HandlerCall) context.abort(why);
        reject(new Error(why));
      };
      this.#coming.delete(context);
      const isStopped = context instanceof HandlerCall && context.isStopped;
      const ask = isStopped ? undefined : this.#asking.shift();
      if (!ask) return left();
      ask({ message, context, handled: resolve, left });
    });

  /** Ends all loops, because the member has left. */
  end(): void {
    this.#isOver = true;
    for (const ask of this.#asking.splice(0)) ask(undefined);
  }

  /** @param leave makes the member leave; rejects with the error that ended the member. */
  async *messages(
    leave: () => Promise<void>,
  ): AsyncGenerator<[StreamMessage, HandlerContext], void, undefined> {
    let current: Item | undefined;
    try {
      for (;;) {
        current = await this.#ask();
        if (!current) return;
        yield [current.message, current.context];
        current.handled();
      }
    } finally {
      current?.left();
      await leave();
    }
  }

  #ask(): Promise<Item | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#asking.push(resolve);
      this.#wake();
    });
  }

  #wake(): void {
    this.#queue.wake(() => this.hasRoom);
  }
}
