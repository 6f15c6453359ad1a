import type { StreamAdmin } from '../core/admin/stream-admin.js';
import type { Config } from '../core/config/config.js';
import { NatspocError } from '../core/lib/errors.js';
import { redactUrl } from '../core/lib/redact-url.js';
import type { NatsConnection } from '../core/nats/client/connection.js';
import type { GroupRow } from '../text/groups-table.js';
import { GroupOperator, type Operator } from './act/operator.js';
import type { TopEvent, TopEventBody } from './model/events.js';
import { initialModel, type Model } from './model/model.js';
import { reduce } from './model/reduce.js';
import { LiveSource } from './sources/live.js';
import type { Recorder } from './sources/recorder.js';

/** The effect of a key in a replay. `by` is recorded time, in milliseconds. */
export type ReplayStep = { do: 'toggle' } | { do: 'faster' } | { do: 'slower' } | { do: 'move'; by: number };

/** A group that can be watched. */
export interface Watchable extends GroupRow {
  stream: string;
}

/** The groups of the account. */
export interface Account {
  /** All groups. @throws NatspocError if the server does not answer. */
  groups(): Promise<readonly Watchable[]>;
  configOf(stream: string, group: string): Config;
}

/** The groups from which the user of a screen can choose. */
export interface Choice {
  groups(): Promise<readonly Watchable[]>;
  /** Watches another group from now on. */
  open(stream: string, group: string): void;
}

/** Controls a replay. */
export type ReplayControl = (step: ReplayStep) => void;

/** A changing model, live or from a recording. */
export interface Feed {
  readonly model: Model;
  /** The actions on the group, if any. */
  readonly operator: Operator | undefined;
  /** The controls of a replay; undefined if the model is live. */
  readonly replay: ReplayControl | undefined;
  /** The groups to choose from, if any. */
  readonly choice: Choice | undefined;
  /** Calls `listener` after each change. There is only one listener. */
  listen(listener: (model: Model) => void): void;
  /** Starts polling, or changes its interval. */
  every(intervalMs: number): void;
  stop(): void;
}

/** A live group, whose model follows the events of a {@link LiveSource}. */
export class LiveFeed implements Feed {
  readonly operator: GroupOperator;
  readonly replay = undefined;
  readonly choice: Choice | undefined;
  readonly #connection: NatsConnection;
  readonly #recorder: Recorder | undefined;
  #source: LiveSource;
  #intervalMs: number | undefined;
  #model: Model = initialModel(eventTime());
  #listener: (model: Model) => void = () => {};

  /**
   * @param recorder also receives every event.
   * @param account without it, the user cannot choose another group.
   */
  constructor(connection: NatsConnection, config: Config, recorder: Recorder | undefined, account?: Account) {
    this.#connection = connection;
    this.#recorder = recorder;
    this.#source = this.#watch(config);
    this.operator = new GroupOperator(
      () => this.#source.group,
      () => openedStream(this.#source),
    );
    this.choice = account && {
      groups: () => account.groups(),
      open: (stream, group) => {
        this.#source.stop();
        this.#model = initialModel(eventTime());
        this.#source = this.#watch(account.configOf(stream, group));
        if (this.#intervalMs !== undefined) this.#source.every(this.#intervalMs);
      },
    };
  }

  get model(): Model {
    return this.#model;
  }

  /** Why there is nothing to show; undefined if there is something. */
  get failure(): NatspocError | undefined {
    return this.#source.failure;
  }

  listen(listener: (model: Model) => void): void {
    this.#listener = listener;
  }

  every(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#source.every(intervalMs);
  }

  /** One polling round. Resolves when it is complete. */
  round(): Promise<void> {
    return this.#source.round();
  }

  /** Like {@link round}, but resolves with false as soon as the connection is lost. */
  roundOrLost(): Promise<boolean> {
    return this.#source.roundOrLost();
  }

  stop(): void {
    this.operator.close();
    this.#source.stop();
  }

  #watch(config: Config): LiveSource {
    const { server, stream, group, bucket } = config;
    const emit = (body: TopEventBody) => this.#emit({ at: eventTime(), ...body });
    emit({ type: 'target', target: { servers: server.map(redactUrl), stream, group, bucket } });
    return new LiveSource({ connection: this.#connection, config, emit, model: () => this.#model });
  }

  #emit(event: TopEvent): void {
    const isFull = event.type !== 'tick' && this.#recorder?.write(event) === false;
    this.#model = reduce(this.#model, event);
    if (isFull && !this.#model.problems.has('recording')) {
      const message = 'The recording is full: it ends here.';
      this.#model = reduce(this.#model, { type: 'problem', what: 'recording', message, at: event.at });
    }
    this.#listener(this.#model);
  }
}

/**
 * The stream, as soon as it is open.
 *
 * @throws NatspocError if the stream cannot be opened.
 */
async function openedStream(source: LiveSource): Promise<StreamAdmin> {
  if (!source.stream) await source.round();
  if (!source.stream)
    throw (
      source.failure ?? new NatspocError('unreachable', 'The stream is not open: wait for the connection.')
    );
  return source.stream;
}

/** A clock for events: milliseconds since 1970. It never goes backwards. */
const eventTime = (): number => performance.timeOrigin + performance.now();
