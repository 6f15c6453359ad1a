import { NatspocError } from '../lib/errors.js';
import { callSheltered } from '../lib/promise-of.js';
import type { Break } from '../ports/index.js';
import type { Rejection } from '../ports/publishing.js';
import { PublishError } from './publish-error.js';
import type { OutgoingMessage, PublishCounters, PublishFailure, PublishObserver } from './types.js';
import type { Slot, Waiter } from './window.js';

/** Counts outcomes, and reports each outcome once to the observer and to the waiting promise. */
export class Outcomes {
  readonly counters: PublishCounters = {
    accepted: 0,
    confirmed: 0,
    duplicates: 0,
    rejected: 0,
    unknown: 0,
    retried: 0,
    maybeTwice: 0,
    reordered: 0,
    disconnects: 0,
    confirmedBytes: 0,
  };
  readonly #observer: PublishObserver;
  readonly #duplicateWindowMs: number;
  /** The newest confirmed message of each partition: its token and its sequence. */
  readonly #newestToken: Float64Array;
  readonly #newestSequence: Float64Array;

  readonly #observerFailed: (error: unknown) => void;

  /**
   * @param duplicateWindowMs how long the stream remembers the id of a stored message.
   * @param observerFailed called when the observer throws or rejects. The publisher continues.
   */
  constructor(
    partitions: number,
    observer: PublishObserver,
    duplicateWindowMs: number,
    observerFailed: (error: unknown) => void,
  ) {
    this.#observer = observer;
    this.#observerFailed = observerFailed;
    this.#duplicateWindowMs = duplicateWindowMs;
    this.#newestToken = new Float64Array(partitions).fill(-1);
    this.#newestSequence = new Float64Array(partitions);
  }

  /** Records a confirmation. The slot must not be cleared yet. */
  confirmed(slot: Slot, sequence: number, duplicate: boolean, nowMs: number): void {
    const { counters } = this;
    counters.confirmed++;
    counters.confirmedBytes += slot.data.length;
    if (duplicate) counters.duplicates++;
    this.#checkOrder(slot, sequence);
    slot.waiter?.resolve({ partition: slot.partition, sequence, duplicate });
    this.#tell(() =>
      this.#observer.confirmed?.(slot.message, slot.partition, sequence, duplicate, slot.dueMs, nowMs),
    );
  }

  retried(slot: Slot, nowMs: number): void {
    if (slot.attempts === 2) this.counters.retried++;
    const isNoticed = slot.hasId && nowMs - slot.sinceMs < this.#duplicateWindowMs;
    if (slot.uncertain && !isNoticed && !slot.countedTwice) {
      slot.countedTwice = true;
      this.counters.maybeTwice++;
    }
  }

  /** True if the stream has confirmed a message of this partition. */
  hasConfirmed(partition: number): boolean {
    return (this.#newestToken[partition] ?? -1) >= 0;
  }

  failed(message: OutgoingMessage, waiter: Waiter | undefined, failure: PublishFailure): void {
    this.counters[failure.outcome]++;
    waiter?.reject(new PublishError(failure));
    this.#tell(() => this.#observer.failed?.(message, failure));
  }

  disconnected(about: Break): void {
    this.counters.disconnects++;
    this.#tell(() => this.#observer.disconnected?.(about));
  }

  reconnected(server: string | null, afterMs: number): void {
    this.#tell(() => this.#observer.reconnected?.({ server, afterMs }));
  }

  #tell(call: () => unknown): void {
    callSheltered(call, this.#observerFailed);
  }

  /**
   * Counts a message that is out of order. In a partition, a message accepted earlier should have a lower sequence. The order of the
   * answers does not matter.
   */
  #checkOrder(slot: Slot, sequence: number): void {
    const { partition, token } = slot;
    const newer = token > (this.#newestToken[partition] ?? -1);
    const above = sequence > (this.#newestSequence[partition] ?? 0);
    if (newer !== above) this.counters.reordered++;
    if (newer) {
      this.#newestToken[partition] = token;
      this.#newestSequence[partition] = sequence;
    }
  }
}

/** The failure of a message that the server refused. */
export function refused(subject: string, reason: Rejection, uncertain: boolean): PublishFailure {
  const code = reason.code ? ` (${reason.code})` : '';
  // A full stream and a broken disk have the same error code, but different descriptions.
  const advice = /^maximum (messages|bytes) exceeded/.test(reason.description)
    ? ' The stream is full: "natspoc stream trim" deletes the messages that every group has handled.'
    : '';
  const error = new NatspocError('not-confirmed', `${subject}: ${reason.description}${code}.${advice}`);
  // An earlier attempt without an answer may have stored the message.
  return { outcome: uncertain ? 'unknown' : 'rejected', error };
}

const maybeStored = (slot: Slot) => (slot.uncertain || slot.state === 'in-flight' ? 'unknown' : 'rejected');

/** The failure of a message that the publisher or its caller abandoned. */
export function abandoned(slot: Slot, error: NatspocError): PublishFailure {
  return { outcome: maybeStored(slot), error };
}

/**
 * The failure of a message to a forbidden subject.
 *
 * @param maybeEarlier true if the server may have accepted this message before the subject was forbidden.
 */
export function denied({ subject, uncertain }: Slot, maybeEarlier: boolean): PublishFailure {
  const error = new NatspocError('not-permitted', `Not permitted to publish to ${subject}.`);
  return { outcome: uncertain || maybeEarlier ? 'unknown' : 'rejected', error };
}

/** The failure of a message that timed out. */
export function timedOut(slot: Slot, timeoutMs: number, down: boolean): PublishFailure {
  const outcome = maybeStored(slot);
  if (down) {
    const error = new NatspocError(
      'unreachable',
      `The server is gone, and no confirmation arrived within ${timeoutMs} ms.`,
    );
    return { outcome, error };
  }
  const why = slot.refusal ? slot.refusal.description : 'no confirmation';
  return {
    outcome,
    error: new NatspocError('not-confirmed', `${slot.subject}: ${why} within ${timeoutMs} ms.`),
  };
}
