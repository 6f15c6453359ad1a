import type { Entry } from './key-queues.js';

/** The shortest lead, for an owner that handles few messages at the same time, and the longest lead of any owner. */
const SHORTEST = 8;
const LONGEST = 32;

/**
 * How many messages beyond its position an owner may start while the position records deaths of earlier owners. The lead is short, because
 * the next owner has to try these messages one at a time if this owner dies as well. The lead also limits batches and parallel calls. For
 * example, a bulk indexer normally handled a batch of 500 messages in 50 ms. After a kill, the indexer had a lead of 8 and needed 8 s for
 * the next 1,000 messages, until the position recorded no more deaths.
 *
 * @param atOnce the number of messages that the owner's handlers may handle at the same time. If the next owner has other settings, more
 *   deaths may be needed to find the cause.
 */
export const shortLead = (atOnce: number): number => Math.min(LONGEST, Math.max(SHORTEST, atOnce));

/** The dependencies of a {@link Lead}. */
export interface LeadPorts {
  /** See {@link shortLead}. */
  messages: number;
  /** The last committed sequence. */
  committed(): number;
  /** Calls back after the next commit. */
  whenWritten(resume: () => void): void;
  /** True when the position records no deaths any more. */
  isOver(): boolean;
}

/** Holds messages back, so that only messages within a short lead of the committed position are started. */
export class Lead {
  readonly #ports: LeadPorts;
  /** Sequences of messages that are not committed, in order. */
  #ahead: number[] = [];
  #isWaiting = false;

  constructor(ports: LeadPorts) {
    this.#ports = ports;
  }

  get isOver(): boolean {
    return this.#ports.isOver();
  }

  /** A message has arrived. */
  arrived(sequence: number): void {
    this.#ahead.push(sequence);
  }

  /** The messages of `due` that may start. If no message may start, calls back when a message may start. */
  within(due: readonly Entry[], resume: () => void): readonly Entry[] {
    const committed = this.#ports.committed();
    const from = this.#ahead.findIndex((sequence) => sequence > committed);
    this.#ahead.splice(0, from < 0 ? this.#ahead.length : from);
    const last = this.#ahead[this.#ports.messages - 1] ?? Number.POSITIVE_INFINITY;
    const allowed = due.filter(({ message }) => message.sequence <= last);
    if (allowed.length === 0) this.#wait(resume);
    return allowed;
  }

  #wait(resume: () => void): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#ports.whenWritten(() => {
      this.#isWaiting = false;
      resume();
    });
  }
}
