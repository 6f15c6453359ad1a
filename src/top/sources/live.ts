import { performance } from 'node:perf_hooks';
import type { GroupAdmin } from '../../core/admin/group-admin.js';
import { readable } from '../../core/admin/group-entries.js';
import { positionsNow } from '../../core/admin/group-layout.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import { ANSWER_MS } from '../../core/admin/thresholds.js';
import type { Config } from '../../core/config/config.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { toNatspocError } from '../../core/nats/client/outcome.js';
import { watchServer } from '../../core/nats/client/watch-connection.js';
import type { ReaderFacts } from '../../core/ports/facts.js';
import type { Watch } from '../../core/ports/index.js';
import type { GroupObserver } from '../../core/ports/observer.js';
import { decodeEntries } from '../../core/protocol/entries.js';
import type { TopEventBody } from '../model/events.js';
import type { Model } from '../model/model.js';
import { partitionsOf } from '../model/select.js';
import { WaitingCounts } from './waiting-counts.js';

/** Positions and ends are read once in this number of rounds. */
const SLOW_ROUNDS = 5;
/** With more readers than this, not every round lists them. In other rounds, only the members report progress. */
const READERS_A_ROUND = 64;
const RECENT_MESSAGES = 60;
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
  #round = 0;
  readonly #waiting = new WaitingCounts();
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
    const observer = this.#group?.observer ?? (await this.#open());
    if (!observer) return;
    const { emit, model, connection } = this.#options;
    const now = model();
    const epochs = new Map<number, number>();
    for (const partition of partitionsOf(now))
      if (now.group.liveOwner(partition)) epochs.set(partition, now.group.epochOf(partition));
    const slow = this.#round++ % SLOW_ROUNDS === 0;
    // Other requests at the same time would prolong the round trip.
    await this.#try('round trip', async () => {
      const askedAt = performance.now();
      // The client measures only whole milliseconds.
      await connection.rtt();
      emit({ type: 'round-trip', ms: performance.now() - askedAt });
    });
    await Promise.all([
      this.#try('stream', async () => {
        const facts = await observer.stream();
        emit({ type: 'stream', facts });
        const after = model().messages.at(-1)?.sequence ?? 0;
        const messages = await observer.messages(facts, after, RECENT_MESSAGES);
        if (messages.length > 0) emit({ type: 'messages', messages });
      }),
      this.#try('renewals', async () => {
        emit({ type: 'proofs', proofs: await observer.proofs() });
      }),
      this.#askOwners(observer, epochs),
      slow &&
        this.#try('positions', async () => {
          const { layout } = model().group;
          const stored = await observer.positions();
          const now = positionsNow(stored, readable(layout) ?? undefined, Date.now());
          const positions = now.filter(({ unreadable }) => !unreadable);
          emit({ type: 'positions', positions });
        }),
      slow && this.#tryDeadLetters(observer),
      slow && this.#try('ends', async () => emit({ type: 'ends', ends: await observer.ends() })),
    ]);
    // The last member's job shows whether the group still needs a member.
    if (model().ready && model().members.size === 0)
      await this.#try('job', async () => emit({ type: 'job', job: (await observer.job()) ?? null }));
    await this.#try('lag', () => this.#count(observer));
    emit({ type: 'looked' });
  }

  /** Asks the server about the readers first, then the members. In the other order, messages delivered in between would count as lag. */
  async #askOwners(observer: GroupObserver, epochs: ReadonlyMap<number, number>): Promise<void> {
    const { emit, model } = this.#options;
    const rounds = Math.max(1, Math.ceil(epochs.size / READERS_A_ROUND));
    let readers: ReaderFacts[] | undefined;
    if (this.#round % rounds === 0)
      await this.#try('readers', async () => {
        readers = await observer.readers(epochs);
      });
    await this.#try('members', async () => {
      const facts = await observer.stats([...model().members.keys()], ANSWER_MS);
      // The readers are emitted together with the answers. Otherwise, messages handled during the wait for a silent member would count as
      // lag.
      if (readers) emit({ type: 'readers', readers });
      emit({ type: 'stats', facts });
    });
  }

  /** Dead letters are in a separate stream, and can need another permission. */
  async #tryDeadLetters(observer: GroupObserver): Promise<void> {
    const { emit, model } = this.#options;
    const { deadLetters: known } = model();
    if (known === 'not-permitted') return;
    try {
      emit({ type: 'dead-letters', facts: await observer.deadLetters(known) });
    } catch (error) {
      if (!(error instanceof NatspocError)) throw error;
      if (error.code === 'not-permitted') emit({ type: 'dead-letters', facts: 'not-permitted' });
    }
  }

  async #count(observer: GroupObserver): Promise<void> {
    const { emit, model } = this.#options;
    const waiting = await this.#waiting.count(observer, model(), this.#round);
    if (waiting.length > 0) emit({ type: 'waiting', waiting });
  }

  /** Finds stream, bucket and layout; undefined if one of them is missing. */
  async #open(): Promise<GroupObserver | undefined> {
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
      return undefined;
    }
    const { observer } = this.#group;
    await this.#try('history', async () => emit({ type: 'history', entries: await observer.history() }));
    if (!this.#stopped) await this.#follow(observer);
    return observer;
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

/** A clock for events: milliseconds since 1970. It never goes backwards. */
export const eventTime = (): number => performance.timeOrigin + performance.now();
