import type { Config } from '../core/config/config.js';
import type { NatspocError } from '../core/lib/errors.js';
import { redactUrl } from '../core/lib/redact-url.js';
import type { NatsConnection } from '../core/nats/client/connection.js';
import { GroupOperator, type Operator } from './act/operator.js';
import type { TopEvent, TopEventBody } from './model/events.js';
import { initialModel, type Model } from './model/model.js';
import { reduce } from './model/reduce.js';
import { eventTime, LiveSource } from './sources/live.js';
import type { Recorder } from './sources/recording.js';

/** A changing model, live or from a recording. */
export interface Feed {
  readonly model: Model;
  /** The actions on the group; undefined: none. */
  readonly operator: Operator | undefined;
  /** Calls back after each change; one listener. */
  listen(listener: (model: Model) => void): void;
  /** Starts polling, or changes its interval. */
  every(intervalMs: number): void;
  stop(): void;
}

/** The group as it is now. */
export class LiveFeed implements Feed {
  readonly operator: GroupOperator;
  readonly #source: LiveSource;
  #model: Model = initialModel(eventTime());
  #listener: (model: Model) => void = () => {};

  /** @param recorder also receives every event. */
  constructor(connection: NatsConnection, config: Config, recorder: Recorder | undefined) {
    const { server, stream, group, bucket } = config;
    const emit = (body: TopEventBody) => {
      const event: TopEvent = { at: eventTime(), ...body };
      if (event.type !== 'tick') recorder?.write(event);
      this.#model = reduce(this.#model, event);
      this.#listener(this.#model);
    };
    emit({ type: 'target', target: { servers: server.map(redactUrl), stream, group, bucket } });
    this.#source = new LiveSource({ connection, config, emit, model: () => this.#model });
    this.operator = new GroupOperator(() => this.#source.group);
  }

  get model(): Model {
    return this.#model;
  }

  /** The reason why there is nothing to show; undefined if there is something. */
  get failure(): NatspocError | undefined {
    return this.#source.failure;
  }

  listen(listener: (model: Model) => void): void {
    this.#listener = listener;
  }

  every(intervalMs: number): void {
    this.#source.every(intervalMs);
  }

  /** One polling round; resolves when it is complete. */
  round(): Promise<void> {
    return this.#source.round();
  }

  /** The same; false as soon as the connection is lost. */
  roundOrLost(): Promise<boolean> {
    return this.#source.roundOrLost();
  }

  stop(): void {
    this.operator.close();
    this.#source.stop();
  }
}

/** A recording, at its original pace. */
export class ReplayFeed implements Feed {
  readonly operator = undefined;
  readonly #events: readonly TopEvent[];
  #model: Model;
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #listener: (model: Model) => void = () => {};

  constructor(events: readonly TopEvent[]) {
    this.#events = events;
    this.#model = initialModel(events[0]?.at ?? 0);
  }

  get model(): Model {
    return this.#model;
  }

  listen(listener: (model: Model) => void): void {
    this.#listener = listener;
  }

  /** Plays from the first event; time continues after the last. The interval is that of the recording. */
  every(): void {
    if (this.#timer) return;
    const startedAt = performance.now();
    const first = this.#events[0]?.at ?? 0;
    this.#timer = setInterval(() => this.#playTo(first + performance.now() - startedAt), 100);
  }

  /** Plays everything at once. */
  finish(): void {
    this.#playTo(this.#events.at(-1)?.at ?? 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #playTo(at: number): void {
    for (let event = this.#events[this.#next]; event && event.at <= at; event = this.#events[++this.#next]) {
      this.#model = reduce(this.#model, event);
    }
    this.#model = reduce(this.#model, { type: 'tick', at });
    this.#listener(this.#model);
  }
}
