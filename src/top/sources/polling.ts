import { readable } from '../../core/admin/group-entries.js';
import { positionsNow } from '../../core/admin/group-layout.js';
import { ANSWER_MS } from '../../core/admin/thresholds.js';
import { NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import type { ReaderFacts } from '../../core/ports/facts.js';
import type { GroupObserver } from '../../core/ports/observer.js';
import type { TopEventBody } from '../model/events.js';
import type { Model } from '../model/model.js';
import { partitionsOf } from '../model/select.js';
import { WaitingCounts } from './waiting-counts.js';

/** Positions and ends are read once in this number of rounds. */
const SLOW_ROUNDS = 5;
/** With more readers than this, not every round lists them. In other rounds, only the members report progress. */
const READERS_A_ROUND = 64;
const RECENT_MESSAGES = 60;

/** The dependencies of {@link Polling}. */
export interface PollingPorts {
  connection: Pick<NatsConnection, 'rtt'>;
  emit: (event: TopEventBody) => void;
  /** The current model. It contains the members to ask. */
  model: () => Model;
  /** Sends one request. Reports an error as a problem of this name. */
  attempt: (what: string, ask: () => Promise<void>) => Promise<void>;
}

/** Polls the state of the group that no watch delivers, and emits events. */
export class Polling {
  readonly #observer: GroupObserver;
  readonly #ports: PollingPorts;
  readonly #waiting = new WaitingCounts();
  #round = 0;

  constructor(observer: GroupObserver, ports: PollingPorts) {
    this.#observer = observer;
    this.#ports = ports;
  }

  /** One round of requests. Resolves when each request has an answer or has failed. */
  async round(): Promise<void> {
    const observer = this.#observer;
    const { connection, emit, model, attempt } = this.#ports;
    const now = model();
    const epochs = new Map<number, number>();
    for (const partition of partitionsOf(now))
      if (now.group.liveOwner(partition)) epochs.set(partition, now.group.epochOf(partition));
    const slow = this.#round++ % SLOW_ROUNDS === 0;
    // Other requests at the same time would prolong the round trip.
    await attempt('round trip', async () => {
      const askedAt = performance.now();
      // The client measures only whole milliseconds.
      await connection.rtt();
      emit({ type: 'round-trip', ms: performance.now() - askedAt });
    });
    await Promise.all([
      attempt('stream', async () => {
        const facts = await observer.stream();
        emit({ type: 'stream', facts });
        const after = model().messages.at(-1)?.sequence ?? 0;
        const messages = await observer.messages(facts, after, RECENT_MESSAGES);
        if (messages.length > 0) emit({ type: 'messages', messages });
      }),
      attempt('renewals', async () => {
        emit({ type: 'proofs', proofs: await observer.proofs() });
      }),
      this.#askOwners(epochs),
      slow &&
        attempt('positions', async () => {
          const { layout } = model().group;
          const stored = await observer.positions();
          const now = positionsNow(stored, readable(layout) ?? undefined, Date.now());
          const positions = now.filter(({ unreadable }) => !unreadable);
          emit({ type: 'positions', positions });
        }),
      slow && this.#tryDeadLetters(),
      slow && attempt('ends', async () => emit({ type: 'ends', ends: await observer.ends() })),
    ]);
    // The last member's job shows whether the group still needs a member. With members, this attempt only ends an earlier problem.
    if (model().ready)
      await attempt('job', async () => {
        if (model().members.size === 0) emit({ type: 'job', job: (await observer.job()) ?? null });
      });
    await attempt('lag', async () => {
      const waiting = await this.#waiting.count(observer, model(), this.#round);
      if (waiting.length > 0) emit({ type: 'waiting', waiting });
    });
    emit({ type: 'looked' });
  }

  /** Asks the server about the readers first, then the members. In the other order, messages delivered in between would count as lag. */
  async #askOwners(epochs: ReadonlyMap<number, number>): Promise<void> {
    const observer = this.#observer;
    const { emit, model, attempt } = this.#ports;
    const rounds = Math.max(1, Math.ceil(epochs.size / READERS_A_ROUND));
    let readers: ReaderFacts[] | undefined;
    if (this.#round % rounds === 0)
      await attempt('readers', async () => {
        readers = await observer.readers(epochs);
      });
    await attempt('members', async () => {
      const facts = await observer.stats([...model().members.keys()], ANSWER_MS);
      // The readers are emitted together with the answers. Otherwise, messages handled during the wait for a silent member would count as
      // lag.
      if (readers) emit({ type: 'readers', readers });
      emit({ type: 'stats', facts });
    });
  }

  /** Dead letters are in a separate stream, and can need another permission. */
  async #tryDeadLetters(): Promise<void> {
    const { emit, model } = this.#ports;
    const { deadLetters: known } = model();
    if (known === 'not-permitted') return;
    try {
      emit({ type: 'dead-letters', facts: await this.#observer.deadLetters(known) });
    } catch (error) {
      if (!(error instanceof NatspocError)) throw error;
      if (error.code === 'not-permitted') emit({ type: 'dead-letters', facts: 'not-permitted' });
    }
  }
}
