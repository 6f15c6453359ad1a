import { DeliverPolicy } from 'nats';
import { type FetchOptions, fetchAll, fetchMessages } from '../jetstream/fetch.js';
import type { Topology } from './topology.js';

interface LaterCount {
  available: number;
  /** True if `available` is an estimate, because the stream has no room for a consumer. */
  isEstimate: boolean;
  /** When the first message was stored; null if unknown. */
  storedAtMs: number | null;
}

/** Reads and counts the messages of a partition after a sequence. */
export class LaterMessages {
  readonly #topology: Topology;
  readonly #timeoutMs: number;
  /** Counts without an answer yet. */
  readonly #counts = new Map<string | number, Promise<LaterCount>>();

  constructor(topology: Topology, timeoutMs: number) {
    this.#topology = topology;
    this.#timeoutMs = timeoutMs;
  }

  /** The first messages of a partition, at most `limit`, in order. Times are on this machine's wall clock. */
  async first(
    partition: number,
    sequence: number,
    limit: number,
  ): Promise<{ sequence: number; atMs: number }[]> {
    const fetched = await Promise.all(
      this.#after(partition, sequence, limit).map((each) => fetchAll(this.#topology, each)),
    );
    return fetched
      .flatMap(({ messages, serverAheadMs }) =>
        messages.map(({ sequence, atMs }) => ({ sequence, atMs: atMs - serverAheadMs })),
      )
      .sort((a, b) => a.sequence - b.sequence)
      .slice(0, limit);
  }

  /** Counts the messages of a partition. In a keyed group, counts those of all partitions. */
  count(partition: number, sequence: number): Promise<LaterCount> {
    const key = this.#topology.keyed ? sequence : `${partition} ${sequence}`;
    let counting = this.#counts.get(key);
    if (!counting) {
      counting = this.#ask(partition, sequence).finally(() => this.#counts.delete(key));
      this.#counts.set(key, counting);
    }
    return counting;
  }

  async #ask(partition: number, sequence: number): Promise<LaterCount> {
    const limit = this.#topology.keyed ? 0 : 1;
    const fetched = await Promise.all(
      this.#after(partition, sequence, limit).map((each) => fetchMessages(this.#topology, each)),
    );
    const times = fetched.flatMap(({ messages, serverAheadMs }) =>
      messages.map(({ atMs }) => atMs - serverAheadMs),
    );
    return {
      available: fetched.reduce((sum, each) => sum + each.available, 0),
      isEstimate: fetched.some(({ isEstimate }) => isEstimate),
      storedAtMs: times.length === 0 ? null : Math.min(...times),
    };
  }

  #after(partition: number, sequence: number, limit: number): FetchOptions[] {
    const { stream, reads } = this.#topology;
    return reads.of(partition).map((filter) => ({
      stream,
      filter,
      start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence + 1 },
      limit,
      headersOnly: true,
      timeoutMs: this.#timeoutMs,
    }));
  }
}
