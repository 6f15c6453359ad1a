import type { Config } from '../core/config/config.js';
import type { NatspocError } from '../core/lib/errors.js';
import { redactUrl } from '../core/lib/redact-url.js';
import type { NatsConnection } from '../core/nats/client/connection.js';
import { GroupOperator, type Operator } from './act/operator.js';
import type { TopEvent, TopEventBody } from './model/events.js';
import { initialModel, type Model } from './model/model.js';
import { reduce } from './model/reduce.js';
import { eventTime, LiveSource } from './sources/live.js';
import type { Recorder } from './sources/recorder.js';

/** What a key of a replay does. `by`: milliseconds of the recording. */
export type ReplayStep = { do: 'toggle' } | { do: 'faster' } | { do: 'slower' } | { do: 'move'; by: number };

/** Controls a replay. */
export type ReplayControl = (step: ReplayStep) => void;

/** A changing model, live or from a recording. */
export interface Feed {
  readonly model: Model;
  /** The actions on the group; undefined: none. */
  readonly operator: Operator | undefined;
  /** The controls of a replay; undefined: it is live. */
  readonly replay: ReplayControl | undefined;
  /** Calls back after each change; one listener. */
  listen(listener: (model: Model) => void): void;
  /** Starts polling, or changes its interval. */
  every(intervalMs: number): void;
  stop(): void;
}

/** The group as it is now. */
export class LiveFeed implements Feed {
  readonly operator: GroupOperator;
  readonly replay = undefined;
  readonly #source: LiveSource;
  #model: Model = initialModel(eventTime());
  #listener: (model: Model) => void = () => {};

  /** @param recorder also receives every event. */
  constructor(connection: NatsConnection, config: Config, recorder: Recorder | undefined) {
    const { server, stream, group, bucket } = config;
    const emit = (body: TopEventBody) => {
      const event: TopEvent = { at: eventTime(), ...body };
      if (recorder && event.type !== 'tick' && !recorder.write(event)) this.#tellFull(event.at);
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

  #tellFull(at: number): void {
    const message = 'The recording is full: it ends here.';
    if (this.#model.problems.has('recording')) return;
    this.#model = reduce(this.#model, { type: 'problem', what: 'recording', message, at });
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
