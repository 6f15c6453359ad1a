import { type Clock, sleep } from '../../lib/clock.js';
import type { EventStream, Reader } from '../../ports/index.js';

/** An answer about the reader can overtake an earlier delivery by at most this time, in milliseconds. */
const IN_FLIGHT_MS = 250;

/** The dependencies of {@link ReaderLooks}. */
export interface ReaderLooksPorts {
  clock: Clock;
  stream: Pick<EventStream, 'inspect'>;
  partition: number;
  name: string;
}

/** Notices that another client has changed the reader of a partition, or has pulled messages from it. */
export class ReaderLooks {
  readonly #ports: ReaderLooksPorts;
  /** The last received sequence at the previous {@link look}. */
  #lookedAt: number | undefined;

  constructor(ports: ReaderLooksPorts) {
    this.#ports = ports;
  }

  /**
   * Resolves with what another client has done to the reader, as text; undefined if nothing is known.
   *
   * @param received the last received sequence. After recent deliveries, the server is not asked: they would have shown a change.
   */
  async look(reader: Reader | undefined, received: number): Promise<string | undefined> {
    const isQuiet = received === this.#lookedAt;
    this.#lookedAt = received;
    if (!reader || !isQuiet) return undefined;
    const { stream, clock, name, partition } = this.#ports;
    for (let isFirst = true; ; isFirst = false) {
      const state = await stream.inspect(name, partition);
      if (typeof state !== 'object') return undefined;
      if (state.change !== undefined) return state.change;
      if (state.delivered <= reader.delivered) return undefined;
      if (!isFirst) return 'another client has pulled messages from its reader';
      await sleep(clock, IN_FLIGHT_MS);
    }
  }
}
