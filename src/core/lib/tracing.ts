import { tracingChannel } from 'node:diagnostics_channel';

/**
 * Reports each call of one kind to subscribers of `diagnostics_channel`. Without subscribers, a call costs one check.
 */
export class Tracing<Event extends object> {
  readonly #channel: ReturnType<typeof tracingChannel<unknown, Event>>;

  /** @param name the name of the tracing channel. Subscribers use `tracing:NAME:start`, `tracing:NAME:end` and so on. */
  constructor(name: string) {
    this.#channel = tracingChannel<unknown, Event>(name);
  }

  /** True while the channel has subscribers. */
  get isOn(): boolean {
    // This code runs before each call, so it creates no array and no closure.
    const { start, end, asyncStart, asyncEnd, error } = this.#channel;
    if (start.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers) return true;
    return end.hasSubscribers || asyncStart.hasSubscribers;
  }

  /** Runs the call between `start` and `asyncEnd`, and adds `result` or `error` to the event. */
  async trace<Result>(event: Event, run: () => Result | Promise<Result>): Promise<Result> {
    return this.#channel.tracePromise(async () => run(), event);
  }
}
