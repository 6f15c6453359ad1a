import type { StreamBounds, Trimmed } from '../../ports/index.js';
import type { ClearedRecord } from '../../protocol/position-records.js';
import { clearedUpTo } from './cleared.js';

/** The record of a trim by an operator (see `ClearedRecord`); undefined if no trim is known. */
export type Cleared = Pick<ClearedRecord, 'seq' | 'created'> | undefined;

/** Shows up to which sequence no message of a partition is missing, or the loss was reported. */
export class SettledMark {
  #to: number;
  #soundTo: number;
  #passedTo = 0;
  #before: number;
  #hasBegun = false;

  /** @param before messages up to this sequence that are missing at the first check are no loss. */
  constructor(to: number, before: number) {
    this.#to = to;
    this.#soundTo = to;
    this.#before = before;
  }

  /** Up to this sequence no message is missing, or the loss was reported. */
  get to(): number {
    return this.#to;
  }

  /** Up to this sequence the stream dropped no message unread, or the loss was reported. Later losses can be noticed only by their number. */
  get soundTo(): number {
    return this.#soundTo;
  }

  /** Up to this sequence the stream holds no message, and each loss was reported. */
  get passedTo(): number {
    return this.#passedTo;
  }

  /** Up to this sequence, a missing message is no loss, or was reported. */
  get noLossTo(): number {
    return Math.max(this.#to, this.#before);
  }

  /** True after the first check. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** No message up to this sequence is missing. */
  moveTo(sequence: number): void {
    this.#to = Math.max(this.#to, sequence);
    this.#soundTo = this.#to;
  }

  /** Handles the first check. Only messages that are stored now and disappear later are a loss. */
  begin({ first, missing, created }: StreamBounds, cleared: Cleared): void {
    this.#hasBegun = true;
    this.moveTo(Math.min(Math.max(this.#before, clearedUpTo(cleared, created)), first - 1));
    if (missing === 0) this.#before = 0;
  }

  /**
   * A check has ended, and has `found` a loss or none.
   *
   * @param isEmpty true if no message waited, and the server has counted no loss.
   */
  judged(
    { first, missing }: StreamBounds,
    received: number,
    found: Trimmed | undefined,
    isEmpty: boolean,
  ): void {
    const isSound = first <= this.#soundTo + 1 && missing === 0;
    // After the lost messages, others may still wait and be lost later.
    const mostSettled = isEmpty ? Number.POSITIVE_INFINITY : Math.max(received, first - 1);
    this.#to = Math.max(this.#to, received, Math.min(found?.to ?? 0, mostSettled));
    if (isSound || found) this.#soundTo = this.#to;
    this.#passedTo = Math.max(this.#passedTo, Math.min(this.#to, first - 1));
  }
}
