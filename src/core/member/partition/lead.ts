import type { Entry } from './key-queues.js';

/** The limits of a lead, in messages. */
const SHORTEST = 8;
const LONGEST = 32;

/**
 * While the position records deaths, an owner starts at most this many messages beyond its position. The lead is short: if this owner dies
 * as well, the next owner tries these messages one at a time. The lead also limits batches and parallel calls. For example, a bulk indexer
 * handled a batch of 500 messages in 50 ms. After a kill, with a lead of 8, the next 1,000 messages took 8 s.
 *
 * @param atOnce how many messages the owner can handle at the same time. If the next owner has other settings, finding the cause can take
 *   more deaths.
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

/** Holds back messages beyond a short lead of the committed position. */
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

  /** The messages of `due` that may start. If there are none, calls back when one may. */
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
