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
 * Gives messages to loops of the program instead of a handler. A call starts only while a loop asks for a message. A message counts as
 * handled when its loop asks for the next message.
 */
export class MessageLoops implements CallLimit {
  readonly reason = 'the loop over member.messages() has not asked for the next message';
  readonly #queue = new RoomQueue();
  /** The callbacks of loops that wait for a message; undefined ends a loop. */
  #asking: ((item: Item | undefined) => void)[] = [];
  /** Messages that were started while no loop was waiting for a message. */
  readonly #early: Item[] = [];
  #isOver = false;

  get hasRoom(): boolean {
    return this.#asking.length > 0;
  }

  take(): void {}

  giveBack(): void {}

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
      const item = { message, context, handled: resolve, left };
      const ask = this.#asking.shift();
      if (ask) ask(item);
      else this.#early.push(item);
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
    for (let item = this.#early.shift(); item; item = this.#early.shift()) {
      if (!item.context.signal.aborted) return Promise.resolve(item);
      item.left();
    }
    if (this.#isOver) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#asking.push(resolve);
      this.#queue.wake(() => this.hasRoom);
    });
  }
}
