import type { GroupAdmin } from '../../core/admin/group-admin.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { isUnknownOutcome, toNatspocError } from '../../core/nats/client/outcome.js';
import { watchServer } from '../../core/nats/client/watch-connection.js';
import type { Watch } from '../../core/ports/index.js';
import type { GroupObserver } from '../../core/ports/observer.js';
import { decodeEntries } from '../../core/protocol/entries.js';
import type { TopEventBody } from '../model/events.js';
import type { Model } from '../model/model.js';
import { Polling } from './polling.js';

const MISSING: ReadonlySet<string> = new Set(['stream-missing', 'group-missing']);

/** Options of a live source. */
export interface LiveOptions {
  connection: NatsConnection;
  config: Config;
  emit: (event: TopEventBody) => void;
  /** The current model. It contains the members to ask. */
  model: () => Model;
}

/** Observes the group by a watch and by polling, and emits events. */
export class LiveSource {
  readonly #options: LiveOptions;
  #stream: StreamAdmin | undefined;
  #group: GroupAdmin | undefined;
  #watch: Watch | undefined;
  #polling: Polling | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #connected = true;
  #failure: NatspocError | undefined;
  #onLost: () => void = () => {};

  constructor(options: LiveOptions) {
    const emit = (event: TopEventBody): void => {
      if (!this.#stopped) options.emit(event);
    };
    this.#options = { ...options, emit };
    watchServer(options.connection, {
      connected: (server, version) => {
        this.#connected = true;
        emit({ type: 'connected', server, version });
      },
      disconnected: () => {
        this.#connected = false;
        emit({ type: 'disconnected' });
        this.#onLost();
      },
      reconnecting: () => emit({ type: 'reconnecting' }),
    });
  }

  get stream(): StreamAdmin | undefined {
    return this.#stream;
  }

  get group(): GroupAdmin | undefined {
    return this.#group;
  }

  /** Why there is nothing to show; undefined if there is something. */
  get failure(): NatspocError | undefined {
    return this.#failure;
  }

  /** Polls at once, and then every `intervalMs`. Call it again to change the interval. */
  every(intervalMs: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.round(), intervalMs);
    void this.round();
  }

  /** Stops polling. The caller closes the connection. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#watch?.stop();
  }

  /** One polling round. Resolves when each request has an answer or has failed. Only one round runs at a time. */
  round(): Promise<void> {
    if (this.#stopped || !this.#connected) return Promise.resolve();
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** One polling round. Resolves with false as soon as the connection is lost: the round might never end. */
  roundOrLost(): Promise<boolean> {
    const lost = new Promise<boolean>((resolve) => {
      this.#onLost = () => resolve(false);
    });
    return Promise.race([lost, this.round().then(() => this.#connected)]);
  }

  async #ask(): Promise<void> {
    if (!this.#group) await this.#open();
    await this.#polling?.round();
  }

  /** Finds stream, bucket and layout, and starts to follow the group. Does nothing if one of them is missing. */
  async #open(): Promise<void> {
    const { connection, config, emit } = this.#options;
    try {
      const stream = await StreamAdmin.open(connection, config);
      this.#stream = stream;
      this.#group = stream.group();
      const { partitions, prefix } = stream.layout;
      emit({ type: 'found', partitions, prefix });
      this.#failure = undefined;
    } catch (error) {
      this.#miss(error);
      return;
    }
    const { observer } = this.#group;
    this.#polling = new Polling(observer, {
      ...this.#options,
      attempt: (what, ask) => this.#try(what, ask),
    });
    await this.#try('history', () => this.#readHistory(observer));
    if (!this.#stopped && this.#polling) await this.#follow(observer);
  }

  /** Reads the history if the server answers. No later request would end the warning about a temporary failure. */
  async #readHistory(observer: GroupObserver): Promise<void> {
    try {
      this.#options.emit({ type: 'history', entries: await observer.history() });
    } catch (error) {
      if (!isUnknownOutcome(error)) throw error;
    }
  }

  #follow(observer: GroupObserver): Promise<void> {
    const { emit, config } = this.#options;
    const foreign = () => {
      // Foreign keys are not shown.
    };
    return new Promise((resolve) => {
      this.#watch = observer.watch({
        snapshot: (entries) => {
          emit({ type: 'snapshot', entries: decodeEntries(config.group, entries, foreign) });
          resolve();
        },
        changes: (entries) =>
          emit({ type: 'changes', entries: decodeEntries(config.group, entries, foreign) }),
        failed: (error) => {
          this.#lose(error);
          resolve();
        },
      });
    });
  }

  /** The stream or the bucket is gone. The next polling round tries to open both again. */
  #lose(error: unknown): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#stream = undefined;
    this.#group = undefined;
    this.#polling = undefined;
    this.#miss(error);
  }

  #miss(error: unknown): void {
    if (this.#stopped) return;
    const { config, emit } = this.#options;
    this.#failure = toNatspocError(error, `read the state of stream ${config.stream}`);
    emit({ type: 'missing', message: this.#failure.message });
  }

  async #try(what: string, ask: () => Promise<void>): Promise<void> {
    const { emit, model } = this.#options;
    try {
      await ask();
      if (model().problems.has(what)) emit({ type: 'problem', what, message: null });
    } catch (error) {
      if (this.#stopped || !this.#connected) return;
      if (error instanceof NatspocError && MISSING.has(error.code)) this.#lose(error);
      else emit({ type: 'problem', what, message: messageOf(error) });
    }
  }
}
